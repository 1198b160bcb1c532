import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.spreadsheet import BEGINNINGS, plain, plain_texts

TEXTS = st.lists(st.none() | st.text() | st.builds(str.__add__, st.sampled_from(BEGINNINGS), st.text()))


@given(TEXTS)
def test_fault_80_none_is_a_formula_and_all_can_be_had_back(texts):
    made = [plain(text) for text in texts]
    assert not [text for text in made if text and text.startswith(BEGINNINGS)]
    for text, told in zip(texts, made, strict=True):
        assert told == (f"'{text}" if text and text.startswith(BEGINNINGS) else text)
    assert plain_texts(pa.array(texts, pa.string())).to_pylist() == made
