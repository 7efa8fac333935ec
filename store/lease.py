"""The lease: the lock on an environment, which frees itself when its holder is gone.

It is one document, replaced by compare-and-swap alone and never removed, so that its fencing
token grows with every lease that the environment ever had. Hosts refuse a token that is older
than one that they have seen: a holder that slept through its lease's end can do no harm there.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import TracebackType

from castoff.store import keys, swapped
from castoff.store.backend import Store
from castoff.store.errors import CastoffError, Conflict, Locked
from castoff.store.lease_document import LeaseDocument, read
from castoff.store.process import this_process

Clock = Callable[[], float]

# Swaps lost in a row before we say that the environment is locked without knowing by whom.
_TRIES = 8


class LeaseLost(Locked):
    """The lease has ended or been taken over; whoever held it must touch nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as its holder last wrote it.

    Attributes:
        ttl: Seconds from a renewal to the end.
        etag: What the next renewal must find in the store.
    """

    store: Store
    app: str
    environment: str
    ttl: float
    document: LeaseDocument
    etag: str

    @property
    def token(self) -> int:
        """The fencing token, for the hosts."""
        return self.document.token


def acquire(
    store: Store,
    app: str,
    environment: str,
    *,
    owner: str,
    reason: str,
    ttl: float = 30,
    now: Clock = time.time,
) -> Lease:
    """Take the environment's lease.

    Args:
        store: Where the lease is kept.
        app: The app.
        environment: The environment.
        owner: Who asks, `user@host`.
        reason: What for, as in `release 1.4.2`.
        ttl: Seconds until it ends unless renewed. Clocks of those who share an environment must
            agree better than that.
        now: Seconds since the epoch.

    Raises:
        Locked: Another holds it.
        StoreError: The store cannot be read or written.
        CorruptArtifact: The document does not fit its schema.
    """
    key = keys.lease(app, environment)
    for _ in range(_TRIES):
        seen = read(store, key)
        if seen is not None and not seen[0].is_free(now()):
            raise _locked(app, environment, seen[0], now())
        moment = now()
        document = LeaseDocument(
            owner=owner,
            hostname=socket.gethostname(),
            process=this_process(),
            reason=reason,
            token=1 if seen is None else seen[0].token + 1,
            acquired=moment,
            expires=moment + ttl,
            released=False,
        )
        with suppress(Conflict):
            document, etag = swapped.write(
                store, key, document, etag=None if seen is None else seen[1]
            )
            return Lease(store, app, environment, ttl, document, etag)
    raise Locked(
        f"{environment} of {app} is wanted by many at once, and others were quicker",
        hint="Try again.",
    )


def renew(lease: Lease, *, now: Clock = time.time) -> Lease:
    """Return the lease with its end moved to `ttl` seconds from now.

    Raises:
        LeaseLost: Another has taken it.
        StoreError: The store cannot be written; the lease still ends when it said.
    """
    return _rewrite(lease, expires=now() + lease.ttl, released=False)


def release(lease: Lease, *, now: Clock = time.time) -> None:
    """Give the lease back, so that the next one need not wait for its end.

    Raises:
        LeaseLost: Another has taken it.
        StoreError: The store cannot be written; the lease ends by itself.
    """
    _rewrite(lease, expires=now(), released=True)


def count_on_from(
    store: Store, app: str, environment: str, token: int, *, owner: str, now: Clock = time.time
) -> None:
    """Make later leases have greater tokens than `token`.

    Hosts refuse tokens that are not greater than those they have seen, which a store that was
    made anew would take as many leases to come to.

    Raises:
        Locked: Somebody holds the lease, or it has come that far already.
        StoreError: The store cannot be read or written.
    """
    key = keys.lease(app, environment)
    seen = read(store, key)
    moment = now()
    if seen is not None and not seen[0].is_free(moment):
        raise _locked(app, environment, seen[0], moment)
    if seen is not None and seen[0].token >= token:
        raise Locked(
            f"leases of {environment} of {app} have come to number {seen[0].token} already",
            hint="Name a greater number, the one that hosts tell.",
        )
    document = LeaseDocument(
        owner=owner,
        hostname=socket.gethostname(),
        process=this_process(),
        reason=f"count on from {token}",
        token=token,
        acquired=moment,
        expires=moment,
        released=True,
    )
    swapped.write(store, key, document, etag=None if seen is None else seen[1])


class Heartbeat:
    """A context manager that renews a lease each third of its time, in a thread of its own.

    A renewal that fails because the store cannot be reached is tried again at the next beat; the
    lease is lost once its time has passed without one. Leaving the context stops the renewals and
    does not give the lease back.
    """

    def __init__(self, lease: Lease, *, now: Clock = time.time) -> None:
        self._lease = lease
        self._now = now
        self._alive_at = time.monotonic()
        self._trouble: CastoffError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="castoff-lease", daemon=True)

    @property
    def lease(self) -> Lease:
        """The lease as it was last renewed."""
        return self._lease

    def check(self) -> None:
        """Return if the lease is still ours.

        Raises:
            LeaseLost: It was taken over, or could not be renewed in time.
        """
        trouble = self._trouble
        if isinstance(trouble, LeaseLost):
            raise trouble
        # Two clocks: the monotonic one stands still while a laptop sleeps, the other can be set.
        silent = time.monotonic() - self._alive_at
        if silent > self._lease.ttl or self._now() >= self._lease.document.expires:
            why = "" if trouble is None else f": {trouble.message}"
            raise LeaseLost(
                f"the lock on {self._lease.environment} of {self._lease.app} could not be "
                f"renewed for {silent:.0f} s{why}",
                hint="This run has stopped. Another may hold the lock: see `castoff status`.",
            )

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Renew no more."""
        self._stop.set()
        # To the end: a renewal under way would change the entity tag that a release must name.
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._lease.ttl / 3):
            # Before the request: the store may have counted from then.
            moment = time.monotonic()
            try:
                self._lease = renew(self._lease, now=self._now)
            except LeaseLost as error:
                self._trouble = error
                return
            except CastoffError as error:
                self._trouble = error
            else:
                self._trouble = None
                self._alive_at = moment


@contextmanager
def held(
    store: Store, app: str, environment: str, *, owner: str, reason: str, ttl: float = 30
) -> Iterator[Heartbeat]:
    """Take the environment's lease, keep it alive while the context runs, and give it back.

    The arguments are those of `acquire`.

    Raises:
        Locked: Another holds it.
        StoreError: The store cannot be read or written.
    """
    taken = acquire(store, app, environment, owner=owner, reason=reason, ttl=ttl)
    with Heartbeat(taken) as heartbeat:
        try:
            yield heartbeat
        finally:
            heartbeat.stop()
            # The work is over: a lease that cannot be given back is another's, or soon ends.
            with suppress(CastoffError):
                release(heartbeat.lease)


def _rewrite(lease: Lease, *, expires: float, released: bool) -> Lease:
    changed = lease.document.model_copy(update={"expires": expires, "released": released})
    key = keys.lease(lease.app, lease.environment)
    try:
        document, etag = swapped.write(lease.store, key, changed, etag=lease.etag)
    except Conflict as error:
        raise _lost(lease) from error
    return replace(lease, document=document, etag=etag)


def _locked(app: str, environment: str, held: LeaseDocument, now: float) -> Locked:
    left = max(1, round(held.expires - now))
    return Locked(
        f"{environment} of {app} is locked by {held.owner} (process {held.process.pid} on "
        f"{held.hostname}) since {_clock(held.acquired)}: {held.reason}",
        hint=f"Wait until it is done. If that process is gone, the lock frees itself at "
        f"{_clock(held.expires)}, in {left} s.",
    )


def _lost(lease: Lease) -> LeaseLost:
    who = ""
    with suppress(CastoffError):
        seen = read(lease.store, keys.lease(lease.app, lease.environment))
        if seen is not None:
            who = f" by {seen[0].owner} at {_clock(seen[0].acquired)}: {seen[0].reason}"
    return LeaseLost(
        f"the lock on {lease.environment} of {lease.app} was taken over{who}",
        hint="This run has stopped. See `castoff status` and `castoff history`, then decide again.",
    )


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
