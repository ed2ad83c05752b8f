"""The folders that commands write: manifests, the workspace, passages and vectors."""
