//! The program itself: exit codes, JSON, the namespace of `--netns`.
