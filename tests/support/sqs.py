"""A small SQS of our own: the JSON protocol with long polling, visibility timeouts and checked signatures."""
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCESS, SECRET, REGION = "AKIDTEST", "secret-of-the-test", "eu-test-1"


def _sign(secret: str, date: str, region: str, text: str) -> str:
    key = b"AWS4" + secret.encode()
    for part in (date, region, "sqs", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def verify(headers, method: str, path: str, body: bytes, secret: str = SECRET) -> bool:
    """Signature Version 4 over what was received."""
    try:
        scheme, rest = headers["Authorization"].split(" ", 1)
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        access, date, region, service, end = fields["Credential"].split("/")
        signed = fields["SignedHeaders"].split(";")
        canonical_headers = "".join(f"{name}:{' '.join((headers[name] or '').split())}\n" for name in signed)
    except (KeyError, ValueError, AttributeError, TypeError):
        return False
    if (scheme, access, region, service, end) != ("AWS4-HMAC-SHA256", ACCESS, REGION, "sqs", "aws4_request") or not {"host", "x-amz-date"} <= set(signed):
        return False
    request = "\n".join([method, path, "", canonical_headers, ";".join(signed), hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], f"{date}/{region}/sqs/aws4_request", hashlib.sha256(request.encode()).hexdigest()])
    return hmac.compare_digest(_sign(secret, date, region, text), fields["Signature"])


class Sqs:
    def __init__(self, port: int = 0):
        self.changed = threading.Condition()
        self.messages: list[dict] = []  # body, handle, visible_at
        self.refused = 0
        self.polls = 0
        self.numbers = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                action = (self.headers["X-Amz-Target"] or "").removeprefix("AmazonSQS.")
                if self.headers["Content-Type"] != "application/x-amz-json-1.0" or not verify(self.headers, "POST", self.path, body):
                    outer.refused += 1
                    return self.answer(403, {"__type": "com.amazon.coral.service#SignatureDoesNotMatch"})
                call = getattr(outer, f"do_{action}", None)
                return self.answer(200, call(json.loads(body))) if call else self.answer(400, {"__type": "InvalidAction"})

            def answer(self, status: int, document: dict):
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"sqs+http://127.0.0.1:{self.port}/000000000000/trawl?region={REGION}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def do_SendMessageBatch(self, request: dict) -> dict:
        with self.changed:
            for entry in request["Entries"]:
                self.numbers += 1
                self.messages.append({"body": entry["MessageBody"], "handle": f"h{self.numbers}", "visible_at": 0.0})
            self.changed.notify_all()
        return {"Successful": [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in request["Entries"]], "Failed": []}

    def do_ReceiveMessage(self, request: dict) -> dict:
        until = time.monotonic() + request.get("WaitTimeSeconds", 0)
        with self.changed:
            self.polls += 1
            while True:
                now = time.monotonic()
                ready = [m for m in self.messages if m["visible_at"] <= now][:request.get("MaxNumberOfMessages", 1)]
                if ready or now >= until:
                    break
                self.changed.wait(min(until - now, 0.5))
            for message in ready:
                message["visible_at"] = now + request.get("VisibilityTimeout", 30)
            return {"Messages": [{"MessageId": m["handle"], "ReceiptHandle": m["handle"], "Body": m["body"]} for m in ready]} if ready else {}

    def do_DeleteMessageBatch(self, request: dict) -> dict:
        handles = {entry["ReceiptHandle"] for entry in request["Entries"]}
        with self.changed:
            self.messages = [m for m in self.messages if m["handle"] not in handles]
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]], "Failed": []}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":  # For the unit test: prints the port and serves until its standard input ends.
    import sys
    server = Sqs()
    print(server.port, flush=True)
    sys.stdin.read()
