"""Attribution drift: does the model still decide by the same features?

:mod:`.ndcg` compares two rankings of features, :mod:`.sums` collects attributions mergeably,
:mod:`.uncertainty` says how sure the comparison is, :mod:`.kernel_shap` computes attributions where
the endpoint gives none, :mod:`.sampled_rows` keeps the rows it explains, :mod:`.own_calls` leaves
its calls out of the traffic.
"""
