"""The leaderboard: entries side by side, the reference submission, and the held-out track."""
