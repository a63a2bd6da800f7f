"""The declaration of all settings of a run, by subject; `nbautoml.automl.options` joins them."""
