"""Requests that two servers in a row could take apart differently, each as its raw bytes."""

# Answered with this id, the request hidden in another one was taken for a request of its own.
HIDDEN = b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nX-Request-ID: hidden\r\n\r\n"
_LINE = b"POST /api/v1/downloads HTTP/1.1\r\n"
_HEAD = _LINE + b"Host: x\r\n"
_GET = b"GET /api/v1/version HTTP/1.1\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def _lengths() -> dict[str, bytes]:
    size = str(len(HIDDEN)).encode()
    values = {"plus": b"+" + size, "minus": b"-" + size, "hex": b"0x5", "underscore": b"1_0", "fraction": size + b".0", "inner space": b"5 5", "empty": b"", "list": size + b", " + size,
              "differing list": b"0, " + size, "overflow": b"18446744073709551621", "quoted": b'"' + size + b'"', "letters": b"5a", "comma": b"5,", "plus inside": b"5+0", "full-width": "５".encode()}
    out = {f"length {name}": _HEAD + b"Content-Length: " + value + b"\r\n\r\n" + HIDDEN for name, value in values.items()}
    out["two lengths"] = _HEAD + b"Content-Length: 0\r\nContent-Length: " + size + b"\r\n\r\n" + HIDDEN
    out["two equal lengths"] = _HEAD + b"Content-Length: " + size + b"\r\nContent-Length: " + size + b"\r\n\r\n" + HIDDEN
    out["two lengths, other case"] = _HEAD + b"content-length: " + size + b"\r\nCONTENT-LENGTH: 0\r\n\r\n" + HIDDEN
    return out


def _encodings() -> dict[str, bytes]:
    body = b"0\r\n\r\n" + HIDDEN
    size = str(len(body)).encode()
    values = {"unknown": b"xchunked", "identity": b"identity", "gzip": b"gzip, chunked", "not last": b"chunked, identity", "twice": b"chunked, chunked", "parameter": b"chunked;q=1", "quoted": b'"chunked"',
              "vertical tab": b"\x0bchunked", "bare cr": b"chunked\r", "empty": b"", "form feed": b"\x0cchunked", "nul": b"chunked\x00", "comma": b"chunked,,x", "space inside": b"chun ked", "high byte": b"chunked\xff"}
    out = {f"encoding {name}": _HEAD + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body for name, value in values.items()}
    out |= {f"length and encoding {name}": _HEAD + b"Content-Length: " + size + b"\r\nTransfer-Encoding: " + value + b"\r\n\r\n" + body for name, value in values.items()}
    out["length, then chunked"] = _HEAD + b"Content-Length: " + size + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    out["chunked, then length"] = _HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: " + size + b"\r\n\r\n" + body
    out["two encodings"] = _HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + body
    out["encoding in HTTP/1.0"] = _HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + body
    out["space before colon"] = _HEAD + b"Content-Length: " + size + b"\r\nTransfer-Encoding : chunked\r\n\r\n" + body
    out["tab before colon"] = _HEAD + b"Content-Length\t: 5\r\n\r\n" + HIDDEN
    out["space before name"] = _HEAD + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + body
    out["folded"] = _HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + body
    out["folded with tab"] = _HEAD + b"Content-Length: " + size + b"\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n" + body
    return out


def _lines() -> dict[str, bytes]:
    return {
        "lf after request line": _LINE[:-2] + b"\nHost: x\r\n\r\n" + HIDDEN, "lf after field": _LINE + b"Host: x\nContent-Length: 5\r\n\r\n" + HIDDEN,
        "lf inside value": _HEAD + b"X: a\nContent-Length: 5\r\n\r\n" + HIDDEN, "lf at the end": _LINE + b"Host: x\r\n\n" + HIDDEN, "cr inside value": _HEAD + b"X: a\rContent-Length: 5\r\n\r\n" + HIDDEN,
        "nul in value": _HEAD + b"X: a\x00b\r\n\r\n" + HIDDEN, "nul in name": _HEAD + b"X\x00Y: z\r\n\r\n" + HIDDEN, "no colon": _HEAD + b"Content-Length\r\n\r\n" + HIDDEN,
        "empty name": _HEAD + b": y\r\n\r\n" + HIDDEN, "space in name": _HEAD + b"Content Length: 5\r\n\r\n" + HIDDEN, "high byte in name": _HEAD + b"X\xff: z\r\n\r\n" + HIDDEN,
        "two spaces": _GET.replace(b" /", b"  /") + b"Host: x\r\n\r\n" + HIDDEN, "tab in request line": _GET.replace(b" /", b"\t/") + b"Host: x\r\n\r\n" + HIDDEN,
        "space in target": _GET.replace(b"version", b"ver sion") + b"Host: x\r\n\r\n" + HIDDEN, "space after version": _GET[:-2] + b" \r\nHost: x\r\n\r\n" + HIDDEN,
        "space before method": b" " + _GET + b"Host: x\r\n\r\n" + HIDDEN, "no version": b"GET /api/v1/version\r\nHost: x\r\n\r\n" + HIDDEN, "small version": _GET.replace(b"HTTP", b"http") + b"Host: x\r\n\r\n" + HIDDEN,
        "long version": _GET.replace(b"1.1", b"1.10") + b"Host: x\r\n\r\n" + HIDDEN, "nul in target": _GET.replace(b"version", b"ver\x00sion") + b"Host: x\r\n\r\n" + HIDDEN,
        "no host": _GET + b"\r\n" + HIDDEN, "two hosts": _GET + b"Host: x\r\nHost: y\r\n\r\n" + HIDDEN, "list of hosts": _GET + b"Host: x, y\r\n\r\n" + HIDDEN, "host with path": _GET + b"Host: x/y\r\n\r\n" + HIDDEN,
        "host with user": _GET + b"Host: u@x\r\n\r\n" + HIDDEN, "first line folded": _LINE + b" Host: x\r\n\r\n" + HIDDEN, "fragment in target": _GET.replace(b"version", b"version#x") + b"Host: x\r\n\r\n" + HIDDEN}


def _chunks() -> dict[str, bytes]:
    bodies = {
        "size plus": b"+5\r\nhello\r\n0\r\n\r\n", "size minus": b"-5\r\nhello\r\n0\r\n\r\n", "size 0x": b"0x5\r\nhello\r\n0\r\n\r\n", "size underscore": b"0_5\r\nhello\r\n0\r\n\r\n", "size space before": b" 5\r\nhello\r\n0\r\n\r\n",
        "size space behind": b"5 \r\nhello\r\n0\r\n\r\n", "size empty": b"\r\nhello\r\n0\r\n\r\n", "size letters": b"g\r\nhello\r\n0\r\n\r\n", "size overflow": b"10000000000000005\r\nhello\r\n0\r\n\r\n", "size lf": b"5\nhello\r\n0\r\n\r\n",
        "size cr": b"5\rhello\r\n0\r\n\r\n", "extension lf": b"5;a\nhello\r\n0\r\n\r\n", "extension quoted lf": b'5;a="\n"\r\nhello\r\n0\r\n\r\n', "extension nul": b'5;a="\x00"\r\nhello\r\n0\r\n\r\n', "last extension lf": b'0;a="\n"\r\n\r\n',
        "no crlf after data": b"5\r\nhelloXX0\r\n\r\n", "data too long": b"5\r\nhello!\r\n0\r\n\r\n", "data ends in lf": b"5\r\nhello\n0\r\n\r\n", "last chunk lf": b"0\n\r\n", "trailer lf": b"0\r\nX: y\n\r\n\r\n",
        "trailer space": b"0\r\nX : y\r\n\r\n", "trailer length": b"0\r\nContent-Length: 5\r\n\r\n", "trailer encoding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n"}
    return {f"chunk {name}": _CHUNKED + body + HIDDEN for name, body in bodies.items()}


def ambiguous() -> dict[str, bytes]:
    return _lengths() | _encodings() | _lines() | _chunks()
