"""A9: every event arrives, whatever the receiver and the sender go through. E11: nothing else is reached."""
import socket
import threading
import time

from support.receiver import Receiver, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def pending(api):
    return api.get("/api/v1/webhooks/deliveries", params={"status": "pending"}).json()["total"]


def test_a9_every_event_arrives(bars, seeded, server):
    """Each first attempt meets one of the ways receivers fail; the sender is killed in the middle."""
    count = bars.size(500)
    ways = [(500, {}), (302, {"Location": "/elsewhere"}), (429, {"Retry-After": "1"}), (503, {}), None, (200, {}), (200, {})]
    chosen: dict[str, object] = {}

    def answer(message, seen):
        if seen:
            return 200, {}
        return chosen.setdefault(message.id, seeded.choice(ways))

    receiver = Receiver(answer)
    made = server(webhook__allow_private_networks="true", webhook__secret=SECRET, webhook__attempts=6)
    ids = set()
    try:
        for n in range(count):
            response = made.api.post("/api/v1/webhooks/test", json={"url": receiver.url(f"/{n}")})
            assert response.status_code == 202, response.text
            ids.add(response.json()["id"])
            if n in (count // 3, 2 * count // 3):
                made.kill()
                made.start()
        deadline = time.monotonic() + 60
        while pending(made.api):
            assert time.monotonic() < deadline, "deliveries are still pending"
            time.sleep(0.05)

        for message in receiver.messages:
            verify(SECRET, message)
        accepted = {m.id for m in receiver.messages}
        delivered = made.api.get("/api/v1/webhooks/deliveries", params={"status": "delivered"}).json()["total"]
        bars.holds("A9", "events delivered at least once", len(ids & accepted), equals=count)
        bars.holds("A9", "events recorded as delivered", delivered, equals=count)
        bars.holds("A9", "redirects followed", sum(m.path.endswith("/elsewhere") for m in receiver.messages), equals=0)
        by_id: dict[str, list] = {}
        for message in receiver.messages:
            by_id.setdefault(message.id, []).append(message)
        bars.holds("A9", "repeats with another body", sum(len({m.body for m in each}) > 1 for each in by_id.values()), equals=0)
        hurried = [each for id, each in by_id.items() if chosen.get(id) == ways[2] and len(each) > 1 and each[1].at - each[0].at < 0.79]
        bars.holds("A9", "attempts before Retry-After", len(hurried), equals=0)
    finally:
        receiver.stop()


def test_e11_a_receiver_cannot_hold_or_lead_the_sender(bars, server):
    """An endless answer, an answer that never comes, a redirect inwards: bounded, and nothing else is reached."""
    canary = Receiver()
    sent = {"endless": 0}
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(30)
    port = listening.getsockname()[1]
    held = []

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection):
        request = connection.recv(65536)
        if request.startswith(b"POST /silent"):
            held.append(connection)
            return
        if request.startswith(b"POST /inwards"):
            connection.sendall(b"HTTP/1.1 308 Moved\r\nLocation: " + canary.url().encode() + b"\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        try:
            for _ in range(16384):  # 1 GiB
                connection.sendall(chunk)
                sent["endless"] += 65536
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    made = server(webhook__allow_private_networks="true", webhook__attempts=1, webhook__timeout_sec=2)
    try:
        begun = time.monotonic()
        for path in ("endless", "silent", "inwards"):
            assert made.api.post("/api/v1/webhooks/test", json={"url": f"http://127.0.0.1:{port}/{path}"}).status_code == 202
        while pending(made.api):
            assert time.monotonic() - begun < 30, "an attempt is still under way"
            time.sleep(0.05)
        bars.holds("E11", "time until every attempt ended", time.monotonic() - begun, at_most=30.0, unit="s")
        # What the kernels buffered on both sides was sent but never read.
        bars.holds("E11", "bytes sent by an endless receiver", sent["endless"], at_most=16 << 20)
        bars.holds("E11", "requests that followed a redirect", len(canary.messages), equals=0)
        states = {d["url"].rsplit("/", 1)[1]: d["status"] for d in made.api.get("/api/v1/webhooks/deliveries").json()["deliveries"]}
        assert states == {"endless": "delivered", "silent": "failed", "inwards": "failed"}
    finally:
        listening.close()
        canary.stop()
        for connection in held:
            connection.close()
