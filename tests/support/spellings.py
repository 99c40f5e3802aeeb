"""URLs that mean, or might be taken to mean, an address of the server's own networks."""
import ipaddress

PUBLIC = "origin.test"


def of_v4(text: str) -> list[str]:
    """Hosts that some reader takes for this IPv4 address."""
    a, b, c, d = (int(part) for part in text.split("."))
    number = int(ipaddress.ip_address(text))
    wide = text.translate({ord(digit): ord("０") + int(digit) for digit in "0123456789"})
    circled = text.translate({ord(str(n)): chr(0x245F + n) if n else 0x24EA for n in range(10)})
    high, low = f"{number >> 16:x}", f"{number & 0xffff:x}"
    return [
        text, f"{text}.", f"{number}", f"{number:#x}", f"{number:#X}".replace("X", "x"), f"0{number:o}", f"00000{number:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a:#x}.{b}.0{c:o}.{d}", f"{a}.{number & 0xffffff}",
        f"{a}.{b}.{number & 0xffff}", f"0{a:o}.{number & 0xffffff:#x}", f"{number + (1 << 32)}", f"{a + 256}.{b}.{c}.{d}",
        wide, circled, text.replace(".", "。"), text.replace(".", "．"), text.replace(".", "%2e"), "".join(f"%{ord(ch):02x}" for ch in text),
        f"[::ffff:{text}]", f"[::ffff:{high}:{low}]", f"[0:0:0:0:0:ffff:{high}:{low}]", f"[::{text}]", f"[::ffff:0:{high}:{low}]",
        f"[64:ff9b::{high}:{low}]", f"[64:ff9b:1::{high}:{low}]", f"[2002:{high}:{low}::1]", f"[2001:0:{high}:{low}::1]",
        f"[fe80::5efe:{high}:{low}]", f"[2a00::5efe:{high}:{low}]",
    ]


V6 = ["[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::]", "[::1%25lo]", "[::1%lo]", "[fd00::1]", "[FD00:0:0::1]", "[fe80::1]",
      "[fe80::1%25cable]", "[fec0::1]", "[ff02::1]", "::1", "[::1", "::1]", "[[::1]]", "[::1].", "[::1]x", "[127.0.0.1]", "[v1.127.0.0.1]"]
NAMES = ["localhost", "LOCALHOST", "localhost.", "localhost..", "a.localhost", "ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost。", "loc%61lhost", "0", "0.0.0.0",
         "0x0", "127", "inside.test", "ten.test", "metadata.test", "six.test", "both.test", "alias.test", "inside.test.", "INSIDE.TEST"]
WHOLE = [
    "http://user@127.0.0.1/", "http://user:password@127.0.0.1/", f"http://{PUBLIC}@127.0.0.1/", f"http://{PUBLIC}:80@10.0.0.5/", f"http://{PUBLIC}%40127.0.0.1/",
    f"http://127.0.0.1%2f@{PUBLIC}/", f"http://{PUBLIC}\\@127.0.0.1/", f"http://127.0.0.1\\@{PUBLIC}/", f"http://127.0.0.1%5c@{PUBLIC}/", "http:\\\\127.0.0.1\\",
    "http:/\\127.0.0.1/", "http:///127.0.0.1/", "http:127.0.0.1/", "//127.0.0.1/", "///127.0.0.1/", "http://127.0.0.1#@origin.test/", "http://127.0.0.1?@origin.test/",
    "http://127.0.0.1:80#.origin.test/", "http://127.0.0.1;.origin.test/", "http://127.0.0.1,origin.test/", "http://127.0.0.1%00.origin.test/", "http://127.0.0.1%0a.origin.test/",
    "http://127.0.0.1%20.origin.test/", "http://127.0.0\t.1/", "http://127.0.0.1\t/", "http://\t127.0.0.1/", "http://127.0.0.1\r\nHost: origin.test/", "http://origin.test\r\n@127.0.0.1/",
    " http://127.0.0.1/ ", "\thttp://127.0.0.1/", "\x01http://127.0.0.1/", "h\tttp://127.0.0.1/", "http://127.0.0.1 @origin.test/", "http://127.0.0.1\u200b/", "http://127.0.0.1\xad/",
    "HTTP://127.0.0.1/", "hTtP://127.0.0.1/", "http://127.0.0.1:/", "http://127.0.0.1:0080/", "http://127.0.0.1:65616/", "http://127.0.0.1:+80/", "http://127.0.0.1:-1/",
    "http://127.0.0.1:80:80/", "http://127.0.0.1: 80/", "http://127.0.0.1:８０/", "http://127.0.0.1:0x50/", "http://127.0.0.1:22/", "http://10.0.0.5:6379/", "http://127.0.0.1:8000/",
    "http://10.0.0.5:8080/", "https://127.0.0.1/", "https://10.0.0.5/", "https://[::1]/", "https://169.254.169.254/latest/meta-data/", "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd", "file://127.0.0.1/etc/passwd", "file:/etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/", "ftp://10.0.0.5:80/", "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:6379/INFO", "ldap://127.0.0.1/", "tftp://10.0.0.5/x", "jar:http://127.0.0.1!/", "ws://127.0.0.1/", "rtmp://127.0.0.1/live", "rtsp://10.0.0.5/", "rtmp://10.0.0.5:80/a",
    "view-source:http://127.0.0.1/", "javascript:fetch('http://127.0.0.1/')", "unix:///var/run/docker.sock", "concat:http://127.0.0.1/", "subfile,,start,0,end,0,,:http://127.0.0.1/",
    "http+unix://%2fvar%2frun%2fdocker.sock/", "http://origin.test/#__youtubedl_smuggle=%7B%22http_headers%22%3A%7B%22Ytdl-request-proxy%22%3A%22http%3A%2F%2F10.0.0.5%3A80%22%7D%7D",
]


def all_of_them() -> list[str]:
    """More than 200, each once, the same each time."""
    hosts = [host for address in ("127.0.0.1", "10.0.0.5", "169.254.169.254") for host in of_v4(address)] + V6 + NAMES + ["192.168.1.1", "172.16.0.1", "100.64.0.1", "198.18.0.1", "240.0.0.1"]
    return list(dict.fromkeys([*(f"http://{host}/video.mp4" for host in hosts), *(f"http://{host}:8080/" for host in V6[:6]), *WHOLE]))
