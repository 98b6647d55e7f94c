"""Texts with common beginnings become trees that lose nothing and repeat nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from localsteer.llama.token_trie import TokenTrie, build_tries

texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=30)
limits = st.integers(1, 8)


def nodes(trie: TokenTrie, number: int) -> list[int]:
    return [int(node) for node in trie.paths[number]]


@given(texts=texts, max_sequences=limits, max_nodes=st.integers(1, 30), share=st.booleans())
def test_every_text_can_be_read_off_its_path(
    texts: list[list[int]], max_sequences: int, max_nodes: int, share: bool
) -> None:
    tries = build_tries(texts, max_sequences=max_sequences, max_nodes=max_nodes, share=share)
    assert sorted(text for trie in tries for text in trie.texts) == list(range(len(texts)))
    for trie in tries:
        for number, (text, leaf) in enumerate(zip(trie.texts, trie.leaves, strict=True)):
            path = nodes(trie, number)
            assert [int(trie.tokens[node]) for node in path] == texts[text]
            assert [int(trie.depths[node]) for node in path] == list(range(len(path)))
            assert all(leaf in trie.sequences[node] for node in path)
            assert path == sorted(path)


@given(texts=texts, max_sequences=limits, max_nodes=st.integers(6, 30))
def test_trees_stay_within_their_limits(texts: list[list[int]], max_sequences: int, max_nodes: int) -> None:
    for trie in build_tries(texts, max_sequences=max_sequences, max_nodes=max_nodes):
        assert trie.n_sequences <= max_sequences
        assert len(trie.tokens) <= max_nodes
        assert {int(one) for through in trie.sequences for one in through} == set(range(trie.n_sequences))


@given(texts=texts)
def test_one_tree_holds_every_distinct_beginning_once(texts: list[list[int]]) -> None:
    (trie,) = build_tries(texts, max_sequences=len(texts), max_nodes=1000)
    assert len(trie.tokens) == len({tuple(text[: n + 1]) for text in texts for n in range(len(text))})


@given(texts=texts)
def test_a_sequence_is_one_line_from_the_root(texts: list[list[int]]) -> None:
    (trie,) = build_tries(texts, max_sequences=len(texts), max_nodes=1000)
    for sequence in range(trie.n_sequences):
        depths = [int(trie.depths[node]) for node, through in enumerate(trie.sequences) if sequence in through]
        assert depths == list(range(len(depths)))


def test_a_text_that_begins_another_needs_no_sequence_of_its_own() -> None:
    (trie,) = build_tries([[1], [1, 2], [1, 2, 3], [1, 4]], max_sequences=9, max_nodes=99)
    assert trie.n_sequences == 2
    (trie,) = build_tries([[1], [1, 2], [1]], max_sequences=9, max_nodes=99, share=False)
    assert trie.n_sequences == 3
