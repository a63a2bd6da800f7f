"""The feature transformers, one behaviour at a time."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from nbautoml.runtime.categorical import HashedColumns, OneHotColumns, OrdinalColumns
from nbautoml.runtime.dates import PARTS, DateParts, split_dates
from nbautoml.runtime.featurizer import DataTransformer, Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.text import TextColumns

NAN = np.nan


def numbers(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype=float)


def labels(*cells: object, name: str = "c") -> pd.DataFrame:
    return pd.DataFrame({name: pd.Categorical(list(cells))})


def days(*texts: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"d": pd.to_datetime(pd.Series(list(texts), dtype=object), format="ISO8601")}
    )


def texts(*cells: str) -> pd.DataFrame:
    return pd.DataFrame({"t": pd.Series(list(cells), dtype=object)})


class TestNumericColumns:
    @pytest.mark.parametrize(
        ("strategy", "filled"),
        [("mean", 3.0), ("median", 2.0), ("most_frequent", 1.0), ("constant", -9.0)],
    )
    def test_fills_missing_numbers_and_marks_them(self, strategy, filled):
        X = numbers(a=[1, NAN, 1, 2, 3, 8], b=[0, 1, 2, 3, 4, 5])
        made = NumericColumns(strategy=strategy, fill_value=-9.0).fit(X)
        out = made.transform(X)
        assert made.get_feature_names_out().tolist() == ["a", "b", "a_WASNULL"]
        assert (out[1].tolist(), out.dtype) == ([filled, 1.0, 1.0], np.float32)

    def test_new_gaps_are_filled_without_a_marker(self):
        made = NumericColumns().fit(numbers(a=[1, 3]))
        assert made.transform(numbers(a=[NAN])).tolist() == [[2.0]]

    def test_none_keeps_gaps(self):
        X = numbers(a=[1, NAN])
        out = NumericColumns(strategy="none").fit(X).transform(X)
        np.testing.assert_array_equal(out, [[1], [NAN]])

    @pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
    def test_column_without_a_number_becomes_zero(self, strategy):
        X = numbers(a=[NAN, NAN])
        assert NumericColumns(strategy=strategy).fit(X).transform(X).tolist() == [[0, 1], [0, 1]]

    def test_large_numbers_keep_their_digits(self):
        X = numbers(a=[1_700_000_000, 1_700_000_001, 1_700_000_003], b=[-2, 0, 5])
        out = NumericColumns().fit(X).transform(X)
        assert np.diff(out[:, 0]).tolist() == [1.0, 2.0]
        assert out[:, 1].tolist() == [-2.0, 0.0, 5.0]

    def test_numbers_far_from_zero_are_moved_to_it_but_not_for_trees(self):
        X = numbers(year=[2010, 2020, NAN], age=[20, 80, 50], below=[-1010, -1000, -1002])
        out = NumericColumns(add_marker=False).fit(X).transform(X)
        assert out.tolist() == [[-5, 20, -5], [5, 80, 5], [0, 50, 3]]
        kept = NumericColumns(strategy="none").fit(X).transform(X)
        np.testing.assert_array_equal(kept, X)

    def test_mean_of_very_large_numbers_does_not_overflow(self):
        X = numbers(a=[3e38, 3e38, NAN])
        assert np.isfinite(NumericColumns().fit(X).transform(X)).all()


class TestOneHotColumns:
    def test_one_output_for_each_category_in_natural_order(self):
        X = labels(*["10", "9", "b"] * 2)
        made = OneHotColumns().fit(X)
        assert made.get_feature_names_out().tolist() == ["c_10", "c_9", "c_b"]
        X = labels(*["10", "9", "100"] * 2)
        made = OneHotColumns().fit(X)
        assert made.get_feature_names_out().tolist() == ["c_9", "c_10", "c_100"]
        assert made.transform(labels("100", "9")).tolist() == [[0, 0, 1], [1, 0, 0]]

    def test_two_categories_need_one_output_for_the_rarer(self):
        made = OneHotColumns().fit(labels(*"aaabb"))
        assert made.get_feature_names_out().tolist() == ["c_b"]
        assert made.transform(labels("a", "b", "new")).ravel().tolist() == [0, 1, 0]

    def test_rare_and_unseen_categories_share_an_output(self):
        made = OneHotColumns().fit(labels(*"aaabbbcd"))
        assert made.get_feature_names_out().tolist() == ["c_a", "c_b", "c_(infrequent)"]
        out = made.transform(labels("c", "d", "new", "b"))
        assert out.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 0]]

    def test_without_rare_ones_an_unseen_category_is_all_zero(self):
        made = OneHotColumns().fit(labels(*"aabbcc"))
        assert made.transform(labels("new")).tolist() == [[0, 0, 0]]

    def test_the_most_frequent_categories_are_kept(self):
        made = OneHotColumns(max_categories=2).fit(labels(*"aaaabbbccdd"))
        assert made.get_feature_names_out().tolist() == ["c_a", "c_b", "c_(infrequent)"]

    def test_missing_counts_as_the_most_frequent_and_is_marked(self):
        made = OneHotColumns().fit(labels(*"aaabbcc", None))
        assert made.get_feature_names_out().tolist() == ["c_a", "c_b", "c_c", "c_WASNULL"]
        assert made.transform(labels(None, "b")).tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]

    def test_missing_at_predict_only_has_no_marker(self):
        made = OneHotColumns().fit(labels(*"aaabbcc"))
        assert made.transform(labels(None)).tolist() == [[1, 0, 0]]

    def test_missing_of_two_categories_is_the_base(self):
        made = OneHotColumns().fit(labels(*"aaabb", None))
        assert made.transform(labels(None, "b")).tolist() == [[0, 1], [1, 0]]

    def test_all_missing_rows_of_a_fold_give_only_a_marker(self):
        X = labels(None, None)
        made = OneHotColumns().fit(X)
        assert made.transform(X).tolist() == [[1], [1]]
        assert made.transform(labels("a")).tolist() == [[0]]

    def test_sparse_equals_dense(self):
        X = pd.concat([labels(*"aabbcc"), labels(*"xyxyz", None, name="e")], axis=1)
        dense = OneHotColumns().fit(X).transform(X)
        sparse = OneHotColumns(is_sparse=True).fit(X).transform(X)
        assert sp.issparse(sparse)
        np.testing.assert_array_equal(sparse.toarray(), dense)


class TestHashedColumns:
    def test_places_do_not_depend_on_the_process_or_the_data(self):
        one = HashedColumns(number_of_bits=4).fit(labels("a", "b"))
        other = HashedColumns(number_of_bits=4).fit(labels("z", "b", "y"))
        X = labels("b", "unseen")
        np.testing.assert_array_equal(one.transform(X).toarray(), other.transform(X).toarray())
        assert one.transform(X).nonzero()[1].tolist() == [3, 4]

    def test_width_and_names(self):
        X = pd.concat([labels("a", None), labels("b", "c", name="e")], axis=1)
        made = HashedColumns(number_of_bits=3).fit(X)
        out = made.transform(X)
        names = made.get_feature_names_out()
        assert out.shape == (2, 17) == (2, len(names))
        assert (names[0], names[8], names[16]) == ("c_hash0", "e_hash0", "c_WASNULL")
        assert out.sum(axis=1).ravel().tolist() == [[2.0, 2.0]]
        assert out[1, 16] == 1.0


class TestOrdinalColumns:
    def test_categories_are_numbered_by_name(self):
        made = OrdinalColumns().fit(labels(*"cab"))
        assert made.transform(labels(*"abc")).ravel().tolist() == [0, 1, 2]
        assert made.categorical_features_.tolist() == [0]

    def test_or_by_falling_frequency(self):
        made = OrdinalColumns(order="frequency").fit(labels(*"abbccc"))
        assert made.transform(labels(*"abc")).ravel().tolist() == [2, 1, 0]

    def test_missing_and_unseen_are_nan(self):
        made = OrdinalColumns().fit(labels(*"ab"))
        assert np.isnan(made.transform(labels("new", None))).all()

    def test_categories_that_are_numbers_keep_their_value(self):
        made = OrdinalColumns().fit(labels("10", "2", "2"))
        out = made.transform(labels("10", "2", "3", "x", None)).ravel()
        np.testing.assert_array_equal(out, [10, 2, 3, NAN, NAN])
        assert made.categorical_features_.tolist() == []


class TestDateParts:
    def test_parts_of_a_day(self):
        times = np.array(["2024-12-30T13:05:09", "NaT"], dtype="datetime64[us]")
        first = np.datetime64("2024-12-29T13:05:09", "us")
        parts = dict(zip(PARTS, split_dates(times, first)[0], strict=True))
        assert parts == {
            "Year": 2024, "Month": 12, "Day": 30, "DayOfWeek": 0, "DayOfYear": 365,
            "QuarterOfYear": 4, "WeekOfMonth": 5, "WeekOfYear": 1,
            "Hour": 13, "Minute": 5, "Second": 9, "DaysSinceFirst": 1,
        }  # fmt: skip
        assert np.isnan(split_dates(times, first)[1]).all()

    def test_parts_that_do_not_change_are_left_out(self):
        X = days("2024-01-01", "2024-01-02")
        names = DateParts().fit(X).get_feature_names_out().tolist()
        assert names == ["d_Day", "d_DayOfWeek", "d_DayOfYear", "d_DaysSinceFirst"]

    def test_missing_dates_get_means_and_a_marker(self):
        X = days("2024-01-01", "2024-01-03", None)
        made = DateParts().fit(X)
        out = dict(zip(made.get_feature_names_out(), made.transform(X)[2], strict=True))
        assert (out["d_Day"], out["d_WASNULL"]) == (2.0, 1.0)

    def test_years_are_moved_to_zero_but_not_for_trees(self):
        X = days("2020-01-01", "2024-01-01")
        assert DateParts().fit_transform(X)[:, 0].tolist() == [-2.0, 2.0]
        assert DateParts(impute=False).fit_transform(X)[:, 0].tolist() == [2020.0, 2024.0]

    def test_for_trees_missing_dates_are_nan(self):
        X = days("2024-01-01", "2024-01-03", None)
        assert np.isnan(DateParts(impute=False).fit(X).transform(X)[2]).all()

    def test_column_without_a_date_in_the_fold(self):
        made = DateParts().fit(days(None, None))
        assert made.transform(days("2024-01-01", None)).tolist() == [[0.0], [1.0]]


class TestTextColumns:
    X = texts(*["good red wine", "bad blue wine", "good wine", ""] * 5)

    def test_terms_are_words_pairs_and_letters(self):
        made = TextColumns().fit(self.X)
        names = set(made.get_feature_names_out())
        assert {"t_TfIdf_good", "t_TfIdf_red wine", "t_CharGramTfIdf_win"} <= names
        out = made.transform(self.X)
        assert (out.shape, out.dtype) == ((20, len(names)), np.float32)
        assert out[3].nnz == 0

    def test_vocabulary_is_capped(self):
        assert TextColumns(max_words=3, max_trigrams=4).fit_transform(self.X).shape == (20, 7)

    def test_terms_may_be_counted_only(self):
        made = TextColumns(is_counted=True).fit(self.X)
        labels = {feature.transformation for feature in made.get_features()}
        assert labels == {"CountVectorizer", "CharGramCountVectorizer"}
        weights = made.transform(texts("good red")).toarray()[0]
        assert len({round(float(w), 4) for w in weights if w}) == 2  # one for each group

    def test_common_terms_may_be_left_out(self):
        names = TextColumns(max_df=0.4).fit(self.X).get_feature_names_out()
        assert "t_TfIdf_bad" in names
        assert "t_TfIdf_good" not in names

    @pytest.mark.parametrize(
        ("cells", "term"),
        [
            (["我喜欢红酒", "我不喜欢白酒", "红酒很好喝"], "t_TfIdf_红酒"),
            (["ไวน์แดงอร่อย", "ไวน์ขาวไม่อร่อย", "ชอบไวน์แดง"], "t_TfIdf_แ"),
            (["좋은 와인", "나쁜 와인", "좋은 술"], "t_TfIdf_좋은"),
            (["хорошее вино", "плохое вино", "вино"], "t_TfIdf_хорошее вино"),
            (["très bon vin", "vin très mauvais", "bon"], "t_TfIdf_très bon"),
        ],
    )
    def test_words_are_found_in_any_script(self, cells, term):
        assert term in TextColumns().fit(texts(*cells)).get_feature_names_out()

    def test_components_are_dense_with_sizes(self):
        made = TextColumns(n_components=2)
        out = made.fit_transform(self.X)
        names = made.get_feature_names_out().tolist()
        assert names == ["t_TruncatedSVD0", "t_TruncatedSVD1", "t_CharCount", "t_WordCount"]
        assert out[0, 2:].tolist() == [13.0, 3.0]
        np.testing.assert_allclose(made.transform(self.X), out, atol=1e-6)

    @pytest.mark.parametrize("n_components", [0, 3])
    def test_texts_without_a_term(self, n_components):
        X = texts("", " ", "")
        made = TextColumns(n_components=n_components).fit(X)
        width = len(made.get_feature_names_out())
        assert made.transform(X).shape == (3, width)

    @pytest.mark.parametrize("n_components", [0, 3])
    def test_no_rows(self, n_components):
        made = TextColumns(n_components=n_components).fit(self.X)
        width = len(made.get_feature_names_out())
        assert made.transform(self.X.iloc[:0]).shape == (0, width)


ALL = [
    (NumericColumns(), numbers(a=[1, NAN, 3], b=[1, 2, 3])),
    (NumericColumns(strategy="none"), numbers(a=[1, NAN, 3], b=[1, 2, 3])),
    (OneHotColumns(), labels(*"aabbcc", None)),
    (OneHotColumns(is_sparse=True), labels(*"aabbccd")),
    (HashedColumns(), labels(*"abcd", None)),
    (OrdinalColumns(), labels(*"abcd", None)),
    (DateParts(), days("2024-01-01", "2024-02-03 10:00", None)),
    (TextColumns(), TestTextColumns.X),
    (TextColumns(n_components=2), TestTextColumns.X),
]


def dense(out: object) -> np.ndarray:
    return out.toarray() if sp.issparse(out) else out


@pytest.mark.parametrize(("transformer", "X"), ALL, ids=[repr(pair[0]) for pair in ALL])
class TestContract:
    def test_fit_keeps_parameters_and_returns_itself(self, transformer, X):
        made = clone(transformer)
        before = made.get_params()
        assert made.fit(X) is made
        assert made.get_params() == before

    def test_fit_transform_is_fit_and_transform(self, transformer, X):
        at_once = dense(clone(transformer).fit_transform(X))
        np.testing.assert_allclose(
            dense(clone(transformer).fit(X).transform(X)), at_once, atol=1e-6
        )

    def test_each_output_has_a_name_and_a_raw_column(self, transformer, X):
        made = clone(transformer).fit(X)
        features = made.get_features()
        assert made.transform(X).shape[1] == len(features) == len(made.get_feature_names_out())
        assert {feature.raw for feature in features} <= set(X.columns)

    def test_output_is_float32(self, transformer, X):
        assert clone(transformer).fit(X).transform(X).dtype == np.float32

    def test_pickled_copy_gives_the_same(self, transformer, X):
        made = clone(transformer).fit(X)
        again = pickle.loads(pickle.dumps(made))
        np.testing.assert_array_equal(dense(again.transform(X)), dense(made.transform(X)))

    def test_rows_do_not_look_at_each_other(self, transformer, X):
        made = clone(transformer).fit(X)
        alone = [dense(made.transform(X.iloc[[i]])) for i in range(len(X))]
        np.testing.assert_allclose(np.concatenate(alone), dense(made.transform(X)), atol=1e-6)

    def test_no_rows_have_the_same_width(self, transformer, X):
        made = clone(transformer).fit(X)
        assert made.transform(X.iloc[:0]).shape == (0, made.transform(X).shape[1])


class TestSummary:
    FORMS = (
        ColumnFormat(name="a", kind="number", purpose="Numeric"),
        ColumnFormat(name="id", kind="drop", purpose="Ignore"),
        ColumnFormat(name="c", kind="category", purpose="Categorical"),
    )
    RAW = pd.DataFrame({"a": [1, None, 2, 4], "id": range(4), "c": list("uvuv")})
    STEPS = (
        ("numbers", NumericColumns(strategy="median"), ["a"]),
        ("categories", OneHotColumns(), ["c"]),
    )

    def fitted(self) -> DataTransformer:
        made = DataTransformer(InputAdapter(self.FORMS), Featurizer(self.STEPS)).fit(self.RAW)
        again: DataTransformer = pickle.loads(pickle.dumps(made))
        return again

    def test_is_a_table_with_the_documented_columns(self):
        table = pd.DataFrame(self.fitted().get_featurization_summary())
        assert table.to_dict("list") == {
            "RawFeatureName": ["a", "id", "c"],
            "TypeDetected": ["Numeric", "Ignore", "Categorical"],
            "Dropped": ["No", "Yes", "No"],
            "EngineeredFeatureCount": [2, 0, 1],
            "Tranformations": [["MedianImputer", "ImputationMarker"], [], ["OneHotEncoder"]],
        }

    def test_names_are_those_of_the_raw_columns(self):
        assert self.fitted().get_engineered_feature_names() == ["a", "a_WASNULL", "c_v"]

    def test_details_are_given_when_asked(self):
        rows = self.fitted().get_featurization_summary(is_user_friendly=False)
        details = [row["TransformationParams"] for row in rows]
        assert [list(transformers) for transformers in details] == [
            ["Transformer1", "Transformer2"], [], ["Transformer1"],
        ]  # fmt: skip
        first = details[0]["Transformer1"]
        assert first["TransformationParams"]["strategy"] == "median"
        assert (first["Input"], first["TransformationFunction"], first["FeatureType"]) == (
            ["a"], "MedianImputer", "Numeric",
        )  # fmt: skip


class TestFeaturizer:
    X = pd.concat([numbers(a=[1, 2, 3, NAN]), labels(*"aabb"), labels(*"pqrs", name="h")], axis=1)
    STEPS = (
        ("numbers", NumericColumns(), ["a"]),
        ("categories", OrdinalColumns(), ["c"]),
        ("hashed", HashedColumns(number_of_bits=2), ["h"]),
    )

    def test_outputs_stand_side_by_side_with_their_lineage(self):
        made = Featurizer(self.STEPS)
        out = made.fit_transform(self.X)
        assert (out.shape, out.dtype, made.is_sparse_) == ((4, 7), np.float32, False)
        first, code = made.lineage_[0], made.lineage_[2]
        assert first.to_dict() == {
            "index": 0, "feature": "f0", "raw": "a", "transformation": "MeanImputer", "name": "a",
        }  # fmt: skip
        assert (code.feature, code.raw, code.transformation) == ("f2", "c", "OrdinalEncoder")
        assert made.categorical_features_.tolist() == [2]

    def test_sparse_when_a_step_is(self):
        made = Featurizer(self.STEPS, is_dense=False)
        out = made.fit_transform(self.X)
        assert made.is_sparse_
        assert sp.issparse(made.transform(self.X.iloc[:1]))
        np.testing.assert_array_equal(out.toarray(), Featurizer(self.STEPS).fit_transform(self.X))

    def test_steps_are_not_fitted_themselves(self):
        made = clone(Featurizer(self.STEPS)).fit(self.X)
        assert not hasattr(made.steps[0][1], "statistics_")

    def test_data_transformer_reads_and_featurizes(self):
        forms = [
            ColumnFormat(name="c", kind="category", purpose="Categorical"),
            ColumnFormat(name="id", kind="drop", purpose="Ignore"),
            ColumnFormat(name="a", kind="number", purpose="Numeric"),
            ColumnFormat(name="h", kind="category", purpose="CategoricalHash"),
        ]
        raw = pd.DataFrame({"a": ["1", "2"], "c": ["u", "v"], "h": ["p", "q"]})
        made = DataTransformer(InputAdapter(forms), Featurizer(self.STEPS)).fit(raw)
        ready = DataTransformer.from_fitted(made.adapter, made.featurizer_)
        np.testing.assert_array_equal(ready.transform(raw), made.transform(raw))
        assert ready.get_engineered_feature_names()[:2] == ["a", "c"]
        rows = {row["RawFeatureName"]: row for row in ready.get_featurization_summary()}
        assert list(rows) == ["c", "id", "a", "h"]
        assert rows["id"] == {
            "RawFeatureName": "id", "TypeDetected": "Ignore", "Dropped": "Yes",
            "EngineeredFeatureCount": 0, "Tranformations": [],
        }  # fmt: skip
        assert rows["h"]["EngineeredFeatureCount"] == 4
        assert rows["a"]["Tranformations"] == ["MeanImputer"] == rows["a"]["Transformations"]
        with pytest.raises(KeyError, match="Transformation"):
            rows["a"]["Transformation"]
