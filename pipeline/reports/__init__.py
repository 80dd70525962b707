"""What paper_figs.md and the review page say, and how they say it."""
