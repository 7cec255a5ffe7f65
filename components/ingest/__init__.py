"""Step: a prepared tfds dataset becomes TFRecord shards with a manifest."""
