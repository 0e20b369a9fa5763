//! XCCDF 1.2 documents and their resolution to a policy.
