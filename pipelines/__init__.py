"""The DAG and what starts it: compile, the local run, the ledger of runs, submission, the command line."""

PIPELINE_NAME = "pedigree-training"
