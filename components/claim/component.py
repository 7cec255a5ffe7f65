from kfp import dsl


@dsl.component(base_image="pedigree-ingest-python:0.1.0", install_kfp_package=False)
def claim(ledger: str, fingerprint: str, run_name: str, job_id: str) -> str:
    """Lets one execution of a run pass, before any side effect; returns the run's name.

    Args:
        ledger: Folder of the run ledger.
        fingerprint: Identity of the dataset refresh.
        run_name: Deterministic name of the run.
        job_id: This execution, as the orchestrator names it.
    """
    from pathlib import Path

    from components.claim.claim import claim_run
    from components.contracts.step_console import one_line_errors

    with one_line_errors("claim"):
        claim_run(ledger=Path(ledger), fingerprint=fingerprint, run_name=run_name, job_id=job_id)
    return run_name
