"""The Azure ML control plane, registry and managed identity endpoint of the local cloud."""
