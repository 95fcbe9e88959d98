"""verify.py finds every alteration of an archive, on a computer that has nothing of the portal."""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numbers_app.evidence import verify
from numbers_app.models import HistoryEntry, Verb
from numbers_app.services.checkpoints import checkpoint_make
from numbers_app.services.evidence import INSTRUCTIONS
from numbers_app.services.history import history_append
from numbers_app.signing import public_key_of
from tests.evidence.archives import (
    WITHOUT_CRYPTOGRAPHY,
    Files,
    Said,
    alter_entry,
    fit_manifest,
    lines_of,
    make_archive,
    pack,
    put_lines,
    rewrite,
    run_verify,
    sign_again,
    unpack,
)
from tests.evidence.conftest import KEY, PUBLIC_KEY
from tests.history.conftest import CAKE, DESTINATION, MOVED, PORTAL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_key")]

STRANGER = bytes(32)


@pytest.fixture
def archive(history: list[HistoryEntry], tmp_path: Path) -> Path:
    """Entries 1 to 4; the last one is signed."""
    return make_archive(tmp_path / "evidence.zip")


@pytest.fixture
def files(archive: Path) -> Files:
    return unpack(archive)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """``verified(path, "--json")``: the same as run_verify, without a process for each."""

    def run(path: Path, *arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["verify.py", str(path), *arguments])
        capsys.readouterr()
        try:
            code = verify.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Said(code, capsys.readouterr().out)

    return run


@pytest.fixture
def checked(files: Files, verified: Callable[..., Said], tmp_path: Path) -> Callable[..., Said]:
    """``checked()``: what verify.py says of the files as they are now, with a manifest to match."""

    def check(*arguments: str, fit: bool = True) -> Said:
        if fit:
            fit_manifest(files)
        return verified(pack(tmp_path / "altered.zip", files), *arguments)

    return check


class TestInOrder:
    def test_with_signatures(self, archive: Path, history: list[HistoryEntry]) -> None:
        said = run_verify(archive, "--public-key", PUBLIC_KEY)
        assert (said.code, said.problems, said.not_checked) == (0, [], [])
        assert "Entries: 4 read, 1 to 4, of 2026-11-01T12:00:00.000000+00:00 to 2026-11-04T12:00:00" in said.text
        assert f"The last hash is {history[-1].hash}." in said.text
        assert "Checkpoints: 1 compared with the entries, with their signatures." in said.text
        assert "The archive brought this key itself" not in said.text

    def test_a_key_that_the_archive_brought_is_to_be_compared(self, archive: Path) -> None:
        said = run_verify(archive)
        assert said.code == 0
        assert f"Key: {PUBLIC_KEY}, SHA-256 fingerprint" in said.text
        assert "Compare it with the one that you were given by another way" in said.text

    def test_without_cryptography_it_says_that_signatures_were_not_checked(self, archive: Path) -> None:
        said = run_verify(archive, flags=WITHOUT_CRYPTOGRAPHY)
        assert (said.code, said.problems) == (2, [])
        assert said.not_checked == ['The signatures: install the package "cryptography" and run this again.']
        assert "without their signatures" in said.text

    def test_unpacked_it_checks_where_it_lies(self, archive: Path, tmp_path: Path) -> None:
        folder = tmp_path / "unpacked"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        assert run_verify(script=folder / "verify.py").code == 0
        (folder / "entries.jsonl").write_text("")
        assert run_verify(script=folder / "verify.py").code == 1

    def test_checkpoints_kept_elsewhere_are_compared_as_far_as_the_archive_goes(
        self, verified: Any, archive: Path, settings: Any
    ) -> None:
        checkpoint_make(actor=PORTAL)  # of the export's own entry, after the archive's last one
        assert settings.CHECKPOINT_FILE.read_text().count("\n") == 2
        said = verified(archive, "--checkpoints", str(settings.CHECKPOINT_FILE))
        assert said.code == 0
        assert "Checkpoints: 2 compared with the entries" in said.text

    def test_json_for_machines(self, archive: Path, history: list[HistoryEntry]) -> None:
        said = json.loads(run_verify(archive, "--json").text)
        assert (said["exit_code"], said["problems"], said["unchecked"]) == (0, [], [])
        assert (said["entries"], said["head_hash"], said["signed_up_to"]) == (4, history[-1].hash, 4)

    def test_a_part_says_which_hash_it_relies_on(self, history: list[HistoryEntry], tmp_path: Path) -> None:
        said = run_verify(make_archive(tmp_path / "part.zip", first=3), "--public-key", PUBLIC_KEY)
        assert said.code == 0
        assert f"the chain from the hash {history[1].hash}, which it relies on" in said.text

    def test_former_keys_count(self, history: list[HistoryEntry], settings: Any, tmp_path: Path) -> None:
        checkpoint_make(actor=PORTAL)
        settings.HISTORY_SIGNING_KEY, settings.HISTORY_FORMER_PUBLIC_KEYS = STRANGER, [PUBLIC_KEY]
        history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED)
        archive = make_archive(tmp_path / "later.zip")
        assert run_verify(archive).code == 0
        both = ("--public-key", PUBLIC_KEY, "--public-key", public_key_of(STRANGER))
        assert run_verify(archive, *both).code == 0
        said = run_verify(archive, "--public-key", PUBLIC_KEY)
        assert (said.code, said.not_checked) == (
            2,
            ["Whether entries 5 to 5 were rewritten: no signature covers them."],
        )

    def test_without_a_key_nothing_shows_whether_all_was_rewritten(
        self, history: list[HistoryEntry], settings: Any, tmp_path: Path
    ) -> None:
        settings.HISTORY_SIGNING_KEY = b""
        said = run_verify(make_archive(tmp_path / "unsigned.zip"))
        assert (said.code, said.problems) == (2, [])
        assert said.not_checked == ["Whether entries 1 to 4 were rewritten: no signature covers them."]


class TestAltered:
    def test_an_entry_with_its_old_hash(self, files: Files, checked: Any) -> None:
        alter_entry(files, 2, {"destination": DESTINATION}, new_hash=False)
        assert checked().problems == ["Entry 2 was altered: its hash does not fit its text."]

    def test_an_entry_with_a_hash_that_fits(self, files: Files, checked: Any) -> None:
        alter_entry(files, 2, {"destination": DESTINATION}, new_hash=True)
        assert checked().problems == ["Entry 3 does not follow the one before it."]

    def test_the_last_entry_with_a_hash_that_fits(self, files: Files, checked: Any) -> None:
        alter_entry(files, 4, {"reason": "another"}, new_hash=True)
        assert checked().problems == ["The checkpoint of entry 4 has another hash: the entries were rewritten since."]

    def test_another_spelling_with_a_hash_that_fits(self, files: Files, checked: Any) -> None:
        rewrite(files, lambda fields: fields)
        entries = lines_of(files, "entries.jsonl")
        fields = json.loads(entries[3]["canonical"])
        entries[3]["canonical"] = json.dumps(fields)
        put_lines(files, "entries.jsonl", entries)
        assert "Entry 4 was altered: its text is not in the one spelling that is hashed." in checked().problems

    def test_an_entry_removed_in_the_middle(self, files: Files, checked: Any) -> None:
        put_lines(
            files, "entries.jsonl", [line for place, line in enumerate(lines_of(files, "entries.jsonl")) if place != 1]
        )
        assert checked().problems == [
            "Entry 2 is missing: the next one is 3.",
            "Entry 3 does not follow the one before it.",
        ]

    def test_two_entries_swapped(self, files: Files, checked: Any) -> None:
        first, second, third, fourth = lines_of(files, "entries.jsonl")
        put_lines(files, "entries.jsonl", [first, third, second, fourth])
        assert "Entry 2 is missing: the next one is 3." in checked().problems

    def test_the_tail_cut_off(self, files: Files, checked: Any) -> None:
        put_lines(files, "entries.jsonl", lines_of(files, "entries.jsonl")[:3])
        assert checked().problems == ["The checkpoint of entry 4 is about an entry that is not here: it was cut off."]

    def test_the_tail_cut_off_with_its_checkpoint(self, files: Files, checked: Any) -> None:
        put_lines(files, "entries.jsonl", lines_of(files, "entries.jsonl")[:3])
        put_lines(files, "checkpoints.jsonl", [])
        said = checked()
        assert (said.code, said.not_checked) == (
            2,
            ["Whether entries 1 to 3 were rewritten: no signature covers them."],
        )

    def test_the_beginning_cut_off(self, files: Files, checked: Any) -> None:
        put_lines(files, "entries.jsonl", lines_of(files, "entries.jsonl")[1:])
        assert checked().code == 1

    def test_a_beginning_that_something_came_before(self, files: Files, checked: Any) -> None:
        rewrite(files, lambda fields: fields, previous="1" * 64)
        sign_again(files, KEY)
        assert checked().problems == ["The first entry does not begin the history: something came before it."]

    def test_everything_recomputed_without_the_key(self, files: Files, checked: Any) -> None:
        rewrite(files, lambda fields: fields | {"actor_name": "Somebody Else"})
        assert checked().problems == ["The checkpoint of entry 4 has another hash: the entries were rewritten since."]

    def test_everything_recomputed_and_the_checkpoint_made_to_fit(self, files: Files, checked: Any) -> None:
        rewrite(files, lambda fields: fields | {"actor_name": "Somebody Else"})
        [checkpoint] = lines_of(files, "checkpoints.jsonl")
        checkpoint["hash"] = lines_of(files, "entries.jsonl")[-1]["hash"]
        put_lines(files, "checkpoints.jsonl", [checkpoint])
        assert checked().problems == ["The checkpoint of entry 4 has a signature that does not fit."]

    def test_everything_recomputed_and_signed_with_another_key(self, files: Files, checked: Any) -> None:
        rewrite(files, lambda fields: fields | {"actor_name": "Somebody Else"})
        sign_again(files, STRANGER)
        assert checked().problems == ["The checkpoint of entry 4 was signed with another key."]

    def test_everything_signed_anew_with_a_key_that_the_archive_lists(self, files: Files, checked: Any) -> None:
        rewrite(files, lambda fields: fields | {"actor_name": "Somebody Else"})
        sign_again(files, STRANGER)
        files["public-keys.json"] = json.dumps({"present": public_key_of(STRANGER), "former": []}).encode()
        assert "The archive brought this key itself" in checked().text
        said = checked("--public-key", PUBLIC_KEY)
        assert (said.code, said.problems) == (1, ["No checkpoint was signed with the key that you gave."])

    def test_everything_recomputed_before_the_portal_signed_it(
        self, verified: Any, archive: Path, files: Files, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept.jsonl"
        kept.write_bytes(files["checkpoints.jsonl"])
        rewrite(files, lambda fields: fields | {"actor_name": "Somebody Else"})
        sign_again(files, KEY)
        fit_manifest(files)
        rewritten = pack(tmp_path / "rewritten.zip", files)
        assert verified(rewritten, "--public-key", PUBLIC_KEY).code == 0
        said = verified(rewritten, "--public-key", PUBLIC_KEY, "--checkpoints", str(kept))
        assert said.problems == ["The checkpoint of entry 4 has another hash: the entries were rewritten since."]

    def test_a_later_checkpoint_moved_to_an_earlier_entry(self, files: Files, checked: Any) -> None:
        [checkpoint] = lines_of(files, "checkpoints.jsonl")
        put_lines(files, "checkpoints.jsonl", [checkpoint, checkpoint | {"sequence": 2}])
        assert "The checkpoint of entry 2 has another hash: the entries were rewritten since." in checked().problems

    def test_files_swapped(self, files: Files, checked: Any) -> None:
        files["entries.jsonl"], files["checkpoints.jsonl"] = files["checkpoints.jsonl"], files["entries.jsonl"]
        said = checked(fit=False)
        assert said.code == 1
        assert "Line 1 of entries.jsonl is not an entry." in said.problems
        assert "Line 1 of checkpoints.jsonl is not a checkpoint." in said.problems

    @pytest.mark.parametrize("name", ["README.txt", "verify.py", "entries.jsonl", "checkpoints.jsonl"])
    def test_a_file_that_is_not_the_manifests(self, files: Files, checked: Any, name: str) -> None:
        files[name] += b"\n"
        assert f"{name} is not the file that the manifest describes." in checked(fit=False).problems

    def test_a_manifest_that_says_something_else(self, files: Files, checked: Any) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | {"count": 5}).encode()
        [problem] = checked(fit=False).problems
        assert problem.startswith("The manifest says 5 entries up to entry 4; here are 4")

    def test_a_file_that_is_in_twice(self, verified: Any, files: Files, tmp_path: Path) -> None:
        doubled = pack(tmp_path / "doubled.zip", files)
        with zipfile.ZipFile(doubled, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
            packed.writestr("entries.jsonl", files["entries.jsonl"])
        [problem] = verified(doubled).problems
        assert problem.endswith("or one of them more than once.")

    def test_many_problems_are_counted(self, files: Files, checked: Any) -> None:
        files["entries.jsonl"] += b"{}\n" * 150
        said = checked(fit=False)
        assert len(said.problems) == 101
        assert said.problems[-1] == "and 52 more."  # the manifest fits neither


ABSURD = [
    b"",
    b"\n",
    b"null",
    b"[]",
    b"7",
    b"\xff\xfe",
    b"{",
    b'{"canonical": null, "previous_hash": null, "hash": null}',
    b'{"canonical": "[]", "previous_hash": "", "hash": ""}',
    b'{"canonical": "{\\"sequence\\": true}", "previous_hash": "", "hash": ""}',
    b'{"canonical": "{}", "previous_hash": "\\ud800", "hash": ""}',
    b"[" * 100_000,
    b"9" * 10_000,
    b'{"sequence": NaN}',
]


class TestAbsurd:
    @pytest.mark.parametrize("name", ["entries.jsonl", "checkpoints.jsonl", "public-keys.json", "manifest.json"])
    def test_nonsense_in_a_file_is_found(self, verified: Any, files: Files, tmp_path: Path, name: str) -> None:
        for text in ABSURD:
            said = verified(pack(tmp_path / "altered.zip", files | {name: text + b"\n"}))
            assert said.code == (2 if name == "manifest.json" else 1), text[:100]

    def test_nonsense_in_an_entry_is_found(self, verified: Any, files: Files, tmp_path: Path) -> None:
        for field in ("sequence", "at", "number", "verb", "changes"):
            for value in (None, [], {}, "x", 10**30, -1, True):
                altered = dict(files)
                alter_entry(altered, 2, {field: value}, new_hash=True)
                fit_manifest(altered)
                said = verified(pack(tmp_path / "altered.zip", altered), "--number", CAKE)
                assert said.code == 1, (field, value)

    @pytest.mark.parametrize("length", [0, 10, 500, -30, -1])
    def test_an_archive_that_was_cut_short(self, verified: Any, archive: Path, length: int) -> None:
        archive.write_bytes(archive.read_bytes()[:length])
        said = verified(archive)
        assert said.code == 2
        assert "cannot be read to its end" in said.text

    def test_a_damaged_byte(self, verified: Any, archive: Path) -> None:
        content = bytearray(archive.read_bytes())
        with zipfile.ZipFile(archive) as packed:
            content[packed.getinfo("entries.jsonl").header_offset + 100] ^= 0xFF
        archive.write_bytes(content)
        assert verified(archive).code in (1, 2)

    def test_no_archive_at_all(self, verified: Any, tmp_path: Path) -> None:
        assert verified(tmp_path / "nowhere.zip").code == 2
        said = verified(tmp_path)
        assert (said.code, said.text.startswith("Could not be checked: This is no archive of evidence")) == (2, True)
        assert json.loads(verified(tmp_path, "--json").text)["exit_code"] == 2

    def test_an_archive_of_another_release(self, files: Files, checked: Any) -> None:
        manifest = json.loads(files["manifest.json"]) | {"version": "numbers-portal/evidence/2"}
        files["manifest.json"] = json.dumps(manifest).encode()
        said = checked(fit=False)
        assert (said.code, "does not know archives of the kind" in said.text) == (2, True)

    def test_names_cannot_play_with_the_terminal(self, files: Files, checked: Any) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | {"made_by": "\x1b[2J"}).encode()
        assert "\x1b" not in checked(fit=False).text


class TestReplay:
    @pytest.mark.parametrize(
        ("at", "sentence"),
        [
            ("2026-10-31T00:00:00Z", "no entry says how it stood."),
            ("2026-11-01T12:00:00Z", f"rings {DESTINATION}, stop date none. Set by entry 1 (number.bought)"),
            ("2026-11-02T13:59:59+02:00", f"rings {DESTINATION}, stop date none. Set by entry 1"),
            ("2026-11-02T14:00:00+02:00", f"rings {MOVED}, stop date none. Set by entry 2 (number.changed)"),
            ("2026-11-03", f"rings {MOVED}, stop date none. Set by entry 2"),
            ("2027-01-01T00:00:00Z", f"rings {MOVED}, stop date 2026-12-31. Set by entry 4"),
        ],
    )
    def test_how_a_number_stood(self, verified: Any, archive: Path, at: str, sentence: str) -> None:
        said = verified(archive, "--number", CAKE, "--at", at)
        assert said.code == 0
        assert sentence in said.text

    def test_at_the_end_when_no_moment_is_given_and_however_it_is_written(self, verified: Any, archive: Path) -> None:
        said = verified(archive, "--number", "+1 (316) 734-2253")
        assert f"{CAKE} at the end of the archive: rings {MOVED}, stop date 2026-12-31. Set by entry 4" in said.text

    def test_a_part_says_that_it_knows_nothing_of_before(
        self, verified: Any, history: list[HistoryEntry], tmp_path: Path
    ) -> None:
        said = run_verify(
            make_archive(tmp_path / "part.zip", first=3), "--number", CAKE, "--at", "2026-11-02T12:00:00Z"
        )
        assert "no entry says how it stood. The archive starts at entry 3; what was before is not in it." in said.text

    @pytest.mark.parametrize(
        "arguments", [["--at", "2026-11-02"], ["--number", CAKE, "--at", "x"], ["--public-key", "x"]]
    )
    def test_questions_that_make_no_sense(self, verified: Any, archive: Path, arguments: list[str]) -> None:
        assert verified(archive, *arguments).code == 2

    def test_the_entry_for_machines(self, verified: Any, archive: Path) -> None:
        said = json.loads(verified(archive, "--json", "--number", CAKE).text)
        assert said["number_set_by"]["sequence"] == 4


def test_it_is_one_file_that_old_python_reads_and_imports_nothing_of_the_portal() -> None:
    source = (INSTRUCTIONS / "verify.py").read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in imported} - {"cryptography"} <= sys.stdlib_module_names
