"""Answers that are kept: the same ones, the latest ones, within their bound."""

from rlsweep.web.memory import AnswerMemory


def test_answers_that_were_asked_for_last_are_kept_within_the_bound() -> None:
    memory = AnswerMemory(most_bytes=10)
    memory.keep("one", b"1111")
    memory.keep("two", b"2222")
    assert memory.get("one") == b"1111"
    memory.keep("three", b"3333")
    assert memory.get("two") is None
    assert (memory.get("one"), memory.get("three")) == (b"1111", b"3333")
    memory.keep("one", b"11")  # the same again does not count twice
    memory.keep("four", b"4444")
    assert (memory.get("one"), memory.get("three"), memory.get("four")) == (b"11", b"3333", b"4444")
    memory.keep("large", b"x" * 11)
    assert [memory.get(etag) for etag in ("one", "three", "four", "large")] == [None] * 4
