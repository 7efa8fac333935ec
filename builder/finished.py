"""Dependencies as a finished part of the tree, which a later build need not even write to disk.

Eighteen thousand files take seconds to write, to look at and to remove, whatever is in them. As
nothing but the lock decides what is in `lib/`, all of it (installed, normalised, with byte code,
and searched for secrets) is kept as one file of the cache. A build that finds it there takes
digests from its index, and the archive's members from the cache. The build that makes it goes on
from there as one that found it does: it compresses it by itself while it looks at the rest of the
tree, keeps what it made (see `settled`), and puts its own archive together from that, as builds do
that come after it and need not look at each file's row again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from castoff.builder.ahead import Ahead
from castoff.builder.bytecode import Compiler
from castoff.builder.cache import Cache, code_of, key_of, own_code
from castoff.builder.compression import Compression
from castoff.builder.distributions import READ, Distribution, installed
from castoff.builder.finish import Suspicious, Tidied, finish
from castoff.builder.growing import Growing, NotKept
from castoff.builder.layer import Layer
from castoff.builder.licences import known, told
from castoff.builder.members import compressor
from castoff.builder.pack import Pack
from castoff.builder.settled import Settled
from castoff.builder.settling import sections_of, write_settled
from castoff.builder.target import layer_needs, libraries
from castoff.builder.tree import Tree
from castoff.builder.versions import version
from castoff.builder.wheel import Workshop
from castoff.config.app_tables import Build
from castoff.store import canonical, digest, filetable
from castoff.store.manifest import Pruned

_STAGE = "dependencies"
_UNDER = "lib"
# What is finished was made and looked at by these.
_RULES = (
    "bytecode.py",
    "bytecode_driver.py",
    "credentials.py",
    "finish.py",
    "globs.py",
    "normalise.py",
    "pack.py",
    "prune.py",
    "secret_content.py",
    "secret_names.py",
    "secrets.py",
    "tree.py",
)
# What is settled, too.
_SETTLED = "archives"
_SETTLING = (
    "compression.py",
    "distributions.py",
    "finished.py",
    "growing.py",
    "layer.py",
    "licences.py",
    "members.py",
    "rows.py",
    "runs.py",
    "settled.py",
    "settling.py",
    "target.py",
    "unit_members.py",
    "units.py",
)


class Finished:
    """What an earlier build finished of `lib/`, or what this one will have.

    Attributes:
        key: Of all that decides what is in it; empty until `take`.
        layer: What was found; None if there is nothing.
        pruned: What had been left out of it.
        distributions: What is in it.
    """

    def __init__(self, cache: Cache, recipe: Build, workshop: Workshop, *, workers: int) -> None:
        """Look for nothing yet.

        Args:
            cache: Where it is kept.
            recipe: What castoff.toml says of the build.
            workshop: For what and by what is built.
            workers: How many packages are compiled at once.
        """
        self._cache, self._workshop, self._workers = cache, workshop, workers
        self._allow, self._prunes = recipe.allow_secrets, bool(recipe.prune)
        self._facts = _facts(recipe, workshop)
        self.key = ""
        self._compression: Compression | None = None
        self._begun = ExitStack()
        self._ahead: Compiler | None = None
        self.layer: Layer | None = None
        self.pruned = Pruned()
        self.distributions: tuple[Distribution, ...] = ()

    def take(self, dependencies: str) -> bool:
        """Find what is finished.

        Args:
            dependencies: Key of all that decides what is installed.
        """
        self.key = key_of({**self._facts, "dependencies": dependencies})
        return self._take()

    def __enter__(self) -> Finished:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what was begun ahead and not made."""
        self._begun.__exit__(kind, error, trace)

    @contextmanager
    def ahead(self, tree: Path) -> Iterator[None]:
        """Compile what uv unpacks while the block runs, if that will count.

        Args:
            tree: The release's tree.
        """
        cache, compiler = Path(self._workshop.env["UV_CACHE_DIR"]), self._compiler(tree)
        by_uv = self._workshop.installer.name == "uv" and _same_disk(cache, tree)
        # What cannot be kept is compiled where it is needed, and would be twice.
        counts = self._cache.folder is not None and not self._prunes and by_uv
        if compiler is None or self._workers == 1 or not counts:
            yield
            return
        self._ahead = self._begun.enter_context(compiler)
        with Ahead(compiler, cache, _UNDER):
            yield

    def make(self, lib: Path, tidied: Callable[[], Tidied], *, whole: bool) -> None:
        """Finish what was installed, where it was looked for; then it is as if it had been found.

        Where it cannot be kept, or may hold secrets, `lib` stays as it is.

        Args:
            lib: The tree's folder.
            tidied: Tidies it, if it has not yet been.
            whole: Whether that leaves all code in it.

        Raises:
            BuildError: A name cannot be released, or the interpreter that compiles fails.
        """
        if not self.key or not lib.is_dir():
            return

        compiler = self._ahead or self._compiler(lib.parent)

        def fill(file: BinaryIO) -> None:
            finish(
                lib,
                file,
                tidied=tidied,
                # One to begin with for each processor, and one to follow.
                ahead=2 * self._workers if whole else 0,
                compiler=compiler,
                allow=self._allow,
            )

        with suppress(Suspicious):
            self._cache.write_pack(_STAGE, self.key, fill)
        distributions, _ = tidied()
        if self._take([replace(one, known_scripts=one.scripts()) for one in distributions]):
            # Out of the tree first, which is looked at meanwhile.
            self._workshop.removal.begin(lib.rename(self._workshop.folder / "installed"))

    def _take(self, described: Sequence[Distribution] = ()) -> bool:
        """Find what is finished, and what was installed of it, as far as that is known."""
        pack = self._cache.open_tree(_STAGE, self.key)
        if pack is None:
            return False
        settled = self._settled(pack)
        if settled is not None:
            self.layer = Layer(pack, _UNDER, settled.rows, settled)
            self.pruned = Pruned.model_validate(settled.facts["pruned"])
            self.distributions = _known(settled.facts["distributions"])
            return True
        self.layer = Layer.of(pack, _UNDER)
        self.pruned = Pruned.model_validate(pack.note)
        infos = {path for path in pack.folders if path.endswith(".dist-info") and "/" not in path}
        if infos == {one.info.name for one in described}:
            self.distributions = tuple(described)
        else:
            folder = self._workshop.folder / "described"
            pack.extract(folder, _describes)
            self.distributions = installed(folder)
        self._compression = Compression(
            self.layer,
            self._workshop.folder,
            self._cache,
            self._workshop.forked,
            workers=self._workers,
        )
        return True

    def _settled(self, pack: Pack) -> Settled | None:
        return self._cache.open_entry(
            _SETTLED, self._settled_key(), lambda file: Settled(file, pack=pack.identity)
        )

    @contextmanager
    def settling(self, tree: Tree) -> Iterator[Tree]:
        """Keep what this build makes of the layer, unless an earlier one has, beside the block.

        The block has the tree with a layer as a later build would find it. What it reads of it may
        raise what `write_tarball` does; then nothing that is made is waited for.

        Args:
            tree: The layer's.
        """
        layer, compression = self.layer, self._compression
        if layer is None or compression is None:
            yield tree
            return
        self._compression = None
        facts = {
            "pruned": self.pruned.model_dump(),
            "distributions": [_told(one) for one in self.distributions],
            "libraries": libraries(layer.rows),
            "needs": asdict(layer_needs(layer, self.distributions)),
        }
        # What can be made before all is compressed.
        sections, size = sections_of(layer.rows), sum(layer.rows.sizes)
        growing = Growing(sections, size=size)

        def fill(file: BinaryIO) -> None:
            pack, made = layer.pack.identity, compression.made()
            write_settled(file, sections, made, facts=facts, size=size, pack=pack, growing=growing)

        with closing(growing), ThreadPoolExecutor(1) as beside:
            beside.submit(self._keep, fill, growing, compression)
            try:
                yield replace(tree, layer=replace(layer, settled=growing))
            except BaseException:
                compression.abandon()
                raise

    def _keep(
        self, fill: Callable[[BinaryIO], None], growing: Growing, compression: Compression
    ) -> None:
        """Write what is made into the cache, in a thread; `growing` has what goes wrong."""
        error: Exception = NotKept()
        try:
            self._cache.write_pack(_SETTLED, self._settled_key(), fill)
        except Exception as raised:  # noqa: BLE001 - told where it is waited for
            error = raised
        growing.fail(error)
        # Where it cannot be kept, they still run.
        compression.wait()

    def _settled_key(self) -> str:
        return key_of(
            {
                "finished": self.key,
                "rules": [*own_code(*_SETTLING), *code_of(canonical, digest, filetable)],
                "deflate": compressor(),
                "order": sys.byteorder,
            }
        )

    def _compiler(self, tree: Path) -> Compiler | None:
        if not self._workshop.destination.compiles:
            return None
        return Compiler(
            tree,
            interpreter=self._workshop.interpreter,
            env=self._workshop.env,
            workers=self._workers,
            cache=self._cache,
        )


def _same_disk(one: Path, other: Path) -> bool:
    """Say whether there can be hard links from one folder to the other."""
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def _facts(recipe: Build, workshop: Workshop) -> Mapping[str, Any]:
    interpreter = workshop.interpreter
    return {
        "castoff": version("castoff"),
        "rules": own_code(*_RULES),
        "detect-secrets": version("detect-secrets"),
        "python": [
            interpreter.markers["implementation_name"],
            interpreter.full_version,
            interpreter.free_threaded,
        ],
        "compiles": workshop.destination.compiles,
        "prune": list(recipe.prune),
        # A file that was allowed may be so no more.
        "allow_secrets": list(recipe.allow_secrets),
    }


def _describes(path: str) -> bool:
    top, _, rest = path.partition("/")
    return top.endswith(".dist-info") and rest in READ


def _told(distribution: Distribution) -> Mapping[str, Any]:
    # Not its files, which nobody asks for any more.
    return {
        "info": distribution.info.name,
        "name": distribution.name,
        "version": distribution.version,
        "requires": distribution.requires,
        "requires_python": distribution.requires_python,
        "tags": distribution.tags,
        "generator": distribution.generator,
        "licence": told(distribution.licence),
        "scripts": distribution.scripts(),
    }


def _known(facts: Sequence[Mapping[str, Any]]) -> tuple[Distribution, ...]:
    return tuple(
        Distribution(
            info=Path(one["info"]),
            name=one["name"],
            version=one["version"],
            requires=tuple(one["requires"]),
            requires_python=one["requires_python"],
            tags=tuple(one["tags"]),
            generator=one["generator"],
            files=(),
            licence=known(one["licence"]),
            known_scripts=one["scripts"],
        )
        for one in facts
    )
