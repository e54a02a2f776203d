"""The process's environment: BLAS threads, checks of the installation, the metrics directory."""
