"""Where everything lies in a store; see docs/reference/store.md."""

from __future__ import annotations


def artifacts(app: str) -> str:
    """Return the prefix of all versions of an app."""
    return f"{app}/artifacts/"


def manifest(app: str, version: str) -> str:
    """Return the key whose creation publishes a version."""
    return f"{app}/artifacts/{version}/manifest.json"


def signature(app: str, version: str) -> str:
    """Return the key of the manifest's signature."""
    return f"{app}/artifacts/{version}/manifest.json.sig"


def sbom(app: str, version: str) -> str:
    """Return the key of the software bill of materials."""
    return f"{app}/artifacts/{version}/sbom.cdx.json"


def provenance(app: str, version: str) -> str:
    """Return the key of the provenance statement."""
    return f"{app}/artifacts/{version}/provenance.json"


def blob(app: str, version: str, name: str) -> str:
    """Return the key of an archive or file table; `name` holds the digest of its content."""
    return f"{app}/artifacts/{version}/{name}"


def patches(app: str, version: str) -> str:
    """Return the prefix of all patches to a version."""
    return f"{app}/artifacts/{version}/patches/"


def patch(app: str, version: str, base: str) -> str:
    """Return the key of what is said of the patch from `base`."""
    return f"{patches(app, version)}{base}.json"


def patch_blob(app: str, version: str, base: str, sha256: str) -> str:
    """Return the key of the patch itself."""
    return f"{patches(app, version)}{base}.{sha256}.zst"


def condemned(app: str) -> str:
    """Return the key of what the garbage collector is going to remove."""
    return f"{app}/garbage.json"


def environments(app: str) -> str:
    """Return the prefix of all that is kept of an app's environments."""
    return f"{app}/environments/"


def public_files(app: str) -> str:
    """Return the prefix of an app's public files, where castoff.toml names no other place."""
    return f"{app}/assets/"


def channel(app: str, environment: str) -> str:
    """Return the key of the environment's pointer."""
    return f"{app}/environments/{environment}/channel.json"


def history(app: str, environment: str, number: int | None = None) -> str:
    """Return the key of one history entry, or the prefix of all."""
    prefix = f"{app}/environments/{environment}/history/"
    return prefix if number is None else f"{prefix}{number:08d}.json"


def remarks(app: str, environment: str, number: int) -> str:
    """Return the key of what went wrong after a run of the history."""
    return f"{history(app, environment)}{number:08d}.remarks.json"


def lease(app: str, environment: str) -> str:
    """Return the key of the environment's lease."""
    return f"{app}/environments/{environment}/lock.json"


def run(app: str, environment: str) -> str:
    """Return the key of what is being done to the environment."""
    return f"{app}/environments/{environment}/run.json"


def migrations(app: str, environment: str) -> str:
    """Return the key of what was migrated in the environment."""
    return f"{app}/environments/{environment}/migrations.json"


def freeze(app: str, environment: str) -> str:
    """Return the key of the word that the environment stays as it is."""
    return f"{app}/environments/{environment}/freeze.json"


def quarantine(app: str, environment: str) -> str:
    """Return the key of the hosts that releases went on without."""
    return f"{app}/environments/{environment}/quarantine.json"


def pins(app: str, environment: str) -> str:
    """Return the key of the versions that stay on the environment's hosts."""
    return f"{app}/environments/{environment}/pins.json"


def backups(app: str, environment: str) -> str:
    """Return the prefix of the environment's back-ups that are kept here."""
    return f"{app}/environments/{environment}/backups/"


def probe(nonce: str) -> str:
    """Return a key for a trial of conditional writes."""
    return f".castoff/probe/{nonce}"
