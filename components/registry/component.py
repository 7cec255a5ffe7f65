from kfp import dsl


@dsl.component(base_image="pedigree-registry-python:0.1.0", install_kfp_package=False)
def resolve_champion(mlflow_uri: str, model_name: str) -> str:
    """The version that a person made champion; empty where there is none.

    Args:
        mlflow_uri: Of the tracking server and registry.
        model_name: Name of the registered model.
    """
    from components.contracts.step_console import one_line_errors
    from components.registry.champion import resolve_champion as resolve

    with one_line_errors("resolve-champion"):
        return resolve(mlflow_uri=mlflow_uri, model_name=model_name) or ""


@dsl.component(base_image="pedigree-registry-python:0.1.0", install_kfp_package=False)
def register(
    model: dsl.Input[dsl.Model],
    report: dsl.Input[dsl.Artifact],
    mlflow_uri: str,
    model_name: str,
    run_name: str,
    run_dir: str,
) -> str:
    """Makes the evaluated model a version with the alias challenger; returns the version.

    Args:
        model: What train left.
        report: What evaluate left.
        mlflow_uri: Of the tracking server and registry.
        model_name: Name of the registered model.
        run_name: Deterministic name of the run.
        run_dir: Folder of this run, where the record of the version is written.
    """
    from pathlib import Path

    from components.contracts.registered_version import VERSION_FILE
    from components.contracts.step_console import one_line_errors
    from components.contracts.strict_json import save
    from components.registry.register import register_model

    with one_line_errors("register"):
        registered = register_model(
            model=Path(model.path),
            report=Path(report.path),
            mlflow_uri=mlflow_uri,
            model_name=model_name,
            run_name=run_name,
        )
        save(registered, Path(run_dir) / VERSION_FILE)
    return registered.version
