"""Claims of Gilboa & Gur-Ari 2019, Wider Networks Learn Better Features: one function a figure."""
