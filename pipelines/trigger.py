"""`pedigree trigger`: one run on a cluster per dataset refresh, whatever crashes or repeats in between."""

from dataclasses import asdict, dataclass
from pathlib import Path

from components.contracts.claim import Claim
from components.contracts.errors import InputError
from components.ingest.source import require_source
from pipelines import PIPELINE_NAME
from pipelines.ledger import Ledger
from pipelines.run_request import RunParameters


@dataclass(frozen=True)
class TriggerRequest:
    """Where everything is, as the cluster's pods see it too."""

    parameters: RunParameters
    data_dir: Path
    ledger: Path
    run_root: Path
    mlflow_uri: str
    model_name: str
    kfp_host: str
    kfp_token: str | None
    dry_run: bool


def trigger(request: TriggerRequest) -> dict[str, str]:
    """Submits a run for the dataset's present refresh unless there is one; what was decided, for a line of JSON.

    Claim first, then look for a run of the claim's name, and only where there is none create it: an answer that was
    lost is followed by a look, never by a second submission. Raises InputError where something does not answer; the
    claim stays, and the next call goes on from it.
    """
    source = require_source(request.parameters.dataset, request.data_dir)
    request.parameters.check(source)
    fingerprint = source.fingerprint()
    ledger = Ledger(request.ledger, PIPELINE_NAME)
    if request.dry_run:
        claim = ledger.find(fingerprint)
        state = claim.attempts[-1].state if claim else "new"
        return {"decision": "would submit" if state in ("new", "claimed") else f"already {state}", **_named(claim)}
    with ledger.exclusive(fingerprint):
        parameters = request.parameters.as_text(request.mlflow_uri, request.model_name)
        claim = ledger.find(fingerprint) or ledger.claim(fingerprint, source.full_name, parameters)
        if (state := claim.attempts[-1].state) != "claimed":
            return {"decision": f"already {state}", **_named(claim)}
        run_id, found = _find_or_submit(claim, request)
        # An earlier trigger, with other parameters, may have claimed and not come to submit.
        ledger.advance(claim, state="submitted", parameters=claim.attempts[-1].parameters if found else parameters)
    return {"decision": "found" if found else "submitted", **_named(claim), "run_id": run_id}


def _find_or_submit(claim: Claim, request: TriggerRequest) -> tuple[str, bool]:
    from pipelines.kfp_cluster import KfpCluster

    cluster, run_name = KfpCluster(request.kfp_host, request.kfp_token), claim.attempts[-1].run_name
    if run_id := cluster.find_run(run_name):
        return run_id, True
    arguments = {
        **asdict(request.parameters),
        "data_dir": str(request.data_dir),
        "fingerprint": claim.fingerprint,
        "run_name": run_name,
        "ledger": str(request.ledger),
        "run_dir": str(request.run_root / run_name),
        "mlflow_uri": request.mlflow_uri,
        "model_name": request.model_name,
    }
    try:
        return cluster.create_run(run_name, arguments), False
    except InputError:  # the answer may have been lost after the work was done
        if run_id := cluster.find_run(run_name):
            return run_id, True
        raise


def _named(claim: Claim | None) -> dict[str, str]:
    return {"fingerprint": claim.fingerprint, "run_name": claim.attempts[-1].run_name} if claim else {}
