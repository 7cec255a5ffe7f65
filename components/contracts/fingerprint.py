"""The identity of a dataset: a digest of what it holds, never of when or where it was written."""

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SourceShard:
    """One file of a prepared tfds dataset. `crc32c` is of its bytes, 8 hexadecimal digits."""

    name: str
    num_bytes: int
    crc32c: str


def fingerprint(full_name: str, features: object, splits: dict[str, tuple[SourceShard, ...]]) -> str:
    """`sha256:…` of canonical JSON (sorted keys, no spaces) of the tfds full name, the feature spec and every shard."""
    identity = {
        "name": full_name,
        "features": features,
        "splits": {split: [asdict(shard) for shard in shards] for split, shards in splits.items()},
    }
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def short(fingerprint_or_digest: str) -> str:
    """The first 12 hexadecimal digits, for names that people read."""
    return fingerprint_or_digest.removeprefix("sha256:")[:12]
