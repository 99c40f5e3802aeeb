"""What a bucket must hold after downloads."""
import hashlib
import time

from support.hostile_origin import File
from support.s3 import S3

PART = 5 << 20
PLAIN = {"embed_metadata": False}  # So that nothing changes the file.


def keys_of(bucket: S3, job: dict) -> list[str]:
    return sorted(key for key in bucket.objects() if f"/{job['id']}/" in key)


def whole(bucket: S3, job: dict, file: File) -> bool:
    keys = keys_of(bucket, job)
    return job["status"] == "completed" and len(keys) == 1 and hashlib.sha256(bucket.get(keys[0])).hexdigest() == file.sha256()


def later_whole(bucket: S3, job: dict, file: File) -> bool:
    """The object of the later lease, while that of the one that died may still be there."""
    keys = keys_of(bucket, job)
    return job["status"] == "completed" and bool(keys) and hashlib.sha256(bucket.get(keys[-1])).hexdigest() == file.sha256()


def cleared(bucket: S3, jobs: list[dict], within: float = 75.0) -> float:
    """Seconds until no upload is open and every object belongs to exactly one of the jobs."""
    began = time.monotonic()
    while True:
        objects, uploads = bucket.objects(), bucket.uploads()
        if not uploads and len(objects) == len(jobs) and all(any(f"/{job['id']}/" in key for key in objects) for job in jobs):
            return time.monotonic() - began
        assert time.monotonic() - began < within, f"objects {objects}, uploads {uploads}"
        time.sleep(0.2)
