"""Files: whole or not at all, and there after a loss of power."""

from __future__ import annotations

import os
import stat

import pytest

from conditioning.errors import InvalidInput
from conditioning.files import write_whole


@pytest.fixture
def events(monkeypatch):
    """What is flushed and renamed, in its order: "folder" or a file's size, and "rename"."""
    happened = []
    flush, rename = os.fsync, os.replace

    def fsync(number):
        found = os.fstat(number)
        happened.append("folder" if stat.S_ISDIR(found.st_mode) else found.st_size)
        flush(number)

    def replace(old, new):
        happened.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return happened


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_the_end(tmp_path, events):
    write_whole(tmp_path / "a.json", b"{}")
    assert events == [2, "rename", "folder"]
    assert (tmp_path / "a.json").read_bytes() == b"{}"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


def test_a_file_that_cannot_be_flushed_is_not_written(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_bytes(b"old")

    def broken(number):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(InvalidInput, match="Input/output error"):
        write_whole(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


@pytest.mark.parametrize("refused", ["open", "fsync"])
def test_systems_that_cannot_flush_folders_write_all_the_same(tmp_path, monkeypatch, refused):
    real = getattr(os, refused)

    def windows(what, *more):
        if refused == "open" or stat.S_ISDIR(os.fstat(what).st_mode):
            raise PermissionError(13, "Permission denied")
        return real(what, *more)

    monkeypatch.setattr(os, refused, windows)
    write_whole(tmp_path / "a.json", b"{}")
    assert (tmp_path / "a.json").read_bytes() == b"{}"
