//! Entries for GitLab: what they say, where they stand, and that none shares its fingerprint.
