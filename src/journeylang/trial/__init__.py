"""Tests in the language, run on the real engine under a virtual clock."""
