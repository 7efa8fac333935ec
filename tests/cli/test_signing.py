"""From a key to a release that only that key's owner could have made."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.site import Site
from support.ssh_keys import make_key, public


def key_of(site: Site) -> Path:
    return site.home / ".ssh" / "id_ed25519"


def publish(site: Site, version: str) -> None:
    for words in (("build", "--version", version), ("push", version)):
        outcome = site.castoff(*words)
        assert outcome.code == 0, outcome.err


def test_a_build_is_signed_and_attested_and_all_of_it_pushed(signed_site: Site) -> None:
    built = signed_site.castoff("build", "--version", "1.0", "--json").json
    pushed = signed_site.castoff("push", "1.0", "--json").json

    assert built["signed"]
    assert pushed["added"] == ["signature", "sbom", "provenance"]
    version = signed_site.folder / "artifacts/store/shop/artifacts/1.0"
    assert {"manifest.json.sig", "sbom.cdx.json", "provenance.json"} <= {
        path.name for path in version.iterdir()
    }
    statement = json.loads(Path(built["provenance"]).read_bytes())
    assert statement["subject"][0]["digest"]["sha256"] == built["archive_sha256"]
    again = signed_site.castoff("build", "--version", "1.0", "--json").json
    assert Path(again["sbom"]).read_bytes() == (version / "sbom.cdx.json").read_bytes()
    assert signed_site.castoff("push", "1.0", "--json").json["added"] == []


def test_only_versions_of_allowed_signers_are_released(signed_site: Site, tmp_path: Path) -> None:
    site = signed_site
    publish(site, "1.0")

    nobody = site.castoff("release", "1.0")
    assert nobody.code == 19
    assert "nobody's signature counts" in nobody.err
    assert not (site.folder / "hosts").exists()

    assert site.castoff("keys", "add", "alice", str(public(key_of(site)))).code == 0
    assert site.castoff("release", "1.0").code == 0

    mallory = make_key(tmp_path / "mallory")
    site.stamp("1.1")
    assert site.castoff("build", "--version", "1.1").code == 0
    assert site.castoff("sign", "1.1", "--key", str(mallory)).code == 0
    assert site.castoff("push", "1.1").code == 0
    for words in (("plan", "1.1"), ("prepare", "1.1"), ("release", "1.1"), ("rollback", "1.1")):
        refused = site.castoff(*words)
        assert refused.code == 19, words
        assert "whose signature does not count" in refused.err
    assert (site.folder / "hosts/web1/current").resolve().name == "1.0"

    assert site.castoff("sign", "1.1").code == 0
    assert "now there with signature" in site.castoff("push", "1.1").out
    assert site.castoff("release", "1.1").code == 0
    assert site.castoff("rollback").code == 0


def test_a_manifest_that_was_changed_in_the_store_is_refused(signed_site: Site) -> None:
    site = signed_site
    publish(site, "1.0")
    site.castoff("keys", "add", "alice", str(public(key_of(site))))
    manifest = site.folder / "artifacts/store/shop/artifacts/1.0/manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b'"ref":"HEAD"', b'"ref":"head"'))

    refused = site.castoff("release", "1.0")

    assert refused.code == 19
    assert "signed other bytes" in refused.err


def test_an_unsigned_version_is_refused_until_it_is_signed(signed_site: Site) -> None:
    site = signed_site
    site.castoff("keys", "add", "alice", str(public(key_of(site))))
    assert site.castoff("build", "--version", "1.0").code == 0
    (site.folder / "artifacts/shop-1.0.manifest.json.sig").unlink()
    assert site.castoff("push", "1.0").code == 0

    refused = site.castoff("release", "1.0")

    assert refused.code == 19
    assert "is not signed" in refused.err
    assert "castoff sign 1.0" in refused.err
    site.castoff("sign", "1.0")
    site.castoff("push", "1.0")
    assert site.castoff("release", "1.0").code == 0


def test_keys_list_shows_who_signed_what_and_what_counts_not(
    signed_site: Site, tmp_path: Path
) -> None:
    site = signed_site
    assert "castoff keys add" in site.castoff("keys", "list").out
    publish(site, "1.0")
    site.castoff("keys", "add", "alice", str(public(key_of(site))))
    site.stamp("1.1")
    site.castoff("build", "--version", "1.1")
    site.castoff("sign", "1.1", "--key", str(make_key(tmp_path / "mallory")))
    site.castoff("push", "1.1")

    listed = site.castoff("keys", "list", "--json").json

    (alice,) = listed["signers"]
    assert (alice["name"], alice["type"], alice["versions"]) == ("alice", "ssh-ed25519", ["1.0"])
    (other,) = listed["others"]
    assert other["version"] == "1.1"
    assert "does not count" in other["trouble"]
    text = site.castoff("keys", "list").out
    assert "alice" in text
    assert "1.1: 1.1 is signed by SHA256:" in text


def test_verify_says_who_signed(signed_site: Site) -> None:
    site = signed_site
    publish(site, "1.0")
    assert "nothing here says whose that is" in site.castoff("verify", "1.0").out
    assert site.castoff("verify", "1.0", "--signed").code == 19

    site.castoff("keys", "add", "alice", str(public(key_of(site))))

    for words in (("1.0",), ("1.0", "--store"), ("1.0", "--signers", "castoff.signers")):
        assert site.castoff("verify", *words, "--signed", "--json").json["signer"] == "alice"


def test_without_a_key_sign_says_how_to_name_one(signed_site: Site) -> None:
    site = signed_site
    text = (site.folder / "castoff.toml").read_text()
    site.write({"castoff.toml": text.replace('key = "~/.ssh/id_ed25519"\n', "")})
    assert site.castoff("build", "--version", "1.0").code == 0
    assert not (site.folder / "artifacts/shop-1.0.manifest.json.sig").exists()

    refused = site.castoff("sign", "1.0")

    assert refused.code == 2
    assert "--key FILE" in refused.err


def test_a_build_whose_key_is_missing_does_not_begin(signed_site: Site) -> None:
    text = (signed_site.folder / "castoff.toml").read_text()
    signed_site.write({"castoff.toml": re.sub(r"(?m)^key = .*$", 'key = "gone.pub"', text)})

    refused = signed_site.castoff("build", "--version", "1.0")

    assert "gone.pub: no such key file" in refused.err
    assert not (signed_site.folder / "artifacts").exists()


def test_a_secret_stops_the_build_until_it_is_allowed_by_its_digest(signed_site: Site) -> None:
    site = signed_site
    site.write({"deploy/.env": "PASSWORD=x\n"})
    site.git("add", "-f", "deploy/.env")
    site.commit("a mistake")

    refused = site.castoff("build", "--version", "1.0")

    assert refused.code == 27
    assert "app/deploy/.env: environment variables" in refused.err
    assert not (site.folder / "artifacts").exists()
    line = next(line for line in refused.err.splitlines() if "allow_secrets" in line)
    text = (site.folder / "castoff.toml").read_text()
    allowed = f"[apps.shop.build]\n{line.strip().removeprefix('-> ')}\n"
    site.write({"castoff.toml": text.replace("[apps.shop]\n", allowed)})
    assert site.castoff("build", "--version", "1.0").code == 0
