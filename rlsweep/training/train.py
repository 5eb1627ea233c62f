"""Train one run: build environments and model, learn, and report to the recorder."""

from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import torch
from stable_baselines3.common.logger import HumanOutputFormat, KVWriter, Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import Mode, RunConfig
from rlsweep.envs import make_env
from rlsweep.envs.facts import environment_facts
from rlsweep.envs.pickling import pickling_problem
from rlsweep.errors import CheckpointError
from rlsweep.storage import Location, RemotePath, local_copy
from rlsweep.training.algorithms import build_model, engine_of, load_algorithm
from rlsweep.training.callbacks import EpisodeCallback
from rlsweep.training.checkpoints import CheckpointFolder, SavedRun, load_weights, read_saved_run
from rlsweep.training.evaluation import Evaluator
from rlsweep.training.log_upload import FILE_BYTES, LogUploader
from rlsweep.training.observer import observe, with_observer
from rlsweep.training.opponent_pool import OpponentPool
from rlsweep.training.progress import Progress
from rlsweep.training.recorder import Recorder
from rlsweep.training.remote_workers import EpisodePartCallback, RemoteWorkers, build_remote_model
from rlsweep.training.seeding import evaluation_seed, resumed_seed, training_seed
from rlsweep.training.session import Result, TrainingSession
from rlsweep.training.tensorboard import TensorBoardLog
from rlsweep.training.vector import LeanVecEnv, make_vector, normalizer_of, restore_statistics
from rlsweep.training.weights import set_policy_weights

LOG_FILE = "train.log"
"""File next to the TensorBoard events of a smoke run: SB3's log values, one table per update."""


def train(
    config: RunConfig,
    recorder: Recorder,
    *,
    checkpoint_folder: Location,
    tensorboard_folder: Location | None,
    resume_from: Location | None = None,
    weights_from: Location | None = None,
    threads: int = 1,
    attempt: int = 1,
    workers: RemoteWorkers | None = None,
    pause_at: float | None = None,
    held: Collection[str] = (),
) -> Result:
    """Train until the budget is spent, the pause is reached or the recorder requests a stop; then write a checkpoint.

    resume_from: a checkpoint of the same run. If its environments can be pickled, the run continues as if it had never
        stopped (on a CPU bit for bit); otherwise it begins new episodes with new random streams. The budget counts
        from the run's first start
    weights_from: an SB3 zip file with the policy weights that this run begins with; nothing else of it is read
    threads: torch's threads in this process
    attempt: number of this start of the run, from 1
    workers: other processes that collect rollouts and compute updates; closed at the end. Such a run resumes with new
        episodes
    pause_at: share of the budget, between 0 and 1, at which the run pauses: after the first update with which the share
        is reached, and the evaluations that follow it. None to train to its end
    held: URIs of the run's checkpoints that are kept, however old they are

    Raises DivergedError if a loss or a reward is not finite, EnvironmentSpecError, ConfigError, CheckpointError and
    StorageUnavailableError; exceptions of the environment itself pass through.
    """
    torch.set_num_threads(threads)
    set_random_seed(config.seed)
    with ExitStack() as stack:
        resumed = None if resume_from is None else stack.enter_context(local_copy(resume_from))
        saved = None if resumed is None else read_saved_run(resumed)
        progress = Progress() if saved is None else saved.snapshot.progress
        log_folder, uploader = _log_folder(tensorboard_folder, stack)
        checkpoints = stack.enter_context(
            CheckpointFolder(
                checkpoint_folder,
                config=config,
                attempt=attempt,
                first_step=progress.env_steps,
                recorder=recorder,
                held=held,
                before_upload=None if uploader is None else uploader.upload,
            )
        )
        inexact_reason, environment = _try_environment(config, copies=workers is None)
        recorder.add_facts(environment)
        model, env = _build(config, workers, stack)
        facts = {"engine": engine_of(model), "device": str(model.device)} if workers is None else workers.facts
        recorder.add_facts({**facts, "resumes": _how_it_resumes(inexact_reason)})
        if saved is not None and resume_from is not None and resumed is not None:
            _continue(model, env, saved, config, resumed, resume_from)
        if weights_from is not None:
            set_policy_weights(model, stack.enter_context(local_copy(weights_from)), config)
        log = _open_log(log_folder, config, first_step=progress.env_steps, uploader=uploader, stack=stack)
        model.set_logger(_logger(config, log_folder, log, stack))
        session = TrainingSession(
            config,
            recorder,
            model,
            progress=progress,
            checkpoints=checkpoints,
            evaluator=_evaluator(config, stack),
            log=log,
            copies_environments=inexact_reason is None,
            opponents=_opponents(config, saved, resume_from),
            pause_at=pause_at,
            episodes=EpisodeCallback if workers is None else EpisodePartCallback,
        )
        observe(model, session)
        if weights_from is not None:
            session.save_start()
        return session.run(None if saved is None else saved.snapshot.state)


def _how_it_resumes(inexact_reason: str | None) -> str:
    return "exactly" if inexact_reason is None else f"at an episode's start: {inexact_reason}"


def _log_folder(folder: Location | None, stack: ExitStack) -> tuple[Path | None, LogUploader | None]:
    """Return the folder on this machine to log to, and what uploads it where the logs belong elsewhere."""
    if not isinstance(folder, RemotePath):
        return folder, None
    uploader = stack.enter_context(LogUploader(folder, continued=[LOG_FILE]))
    return uploader.folder, uploader


def _build(config: RunConfig, workers: RemoteWorkers | None, stack: ExitStack) -> tuple[OnPolicyAlgorithm, VecEnv]:
    """Build the untrained model and its environments, which `stack` closes; with workers, they play their own."""
    if workers is None:
        env = make_vector(config)
        model = build_model(with_observer(load_algorithm(config.agent.algorithm, config.training.engine)), config, env)
    else:
        stack.callback(workers.close)
        env = LeanVecEnv([partial(make_env, config.training.environment, seed=config.seed)])
        model = build_remote_model(config, env, workers)
    stack.callback(env.close)
    env.seed(training_seed(config.seed, config.training.n_envs))
    return model, env


def _open_log(
    folder: Path | None, config: RunConfig, *, first_step: int, uploader: LogUploader | None, stack: ExitStack
) -> TensorBoardLog | None:
    """Return the TensorBoard log, which `stack` closes; None where there is no folder for it."""
    if folder is None:
        return None
    file_bytes = None if uploader is None else FILE_BYTES
    log = TensorBoardLog(folder, config, first_step=first_step, file_bytes=file_bytes)
    stack.callback(log.close)
    return log


def _evaluator(config: RunConfig, stack: ExitStack) -> Evaluator | None:
    """Return what evaluates the run, which `stack` closes; None for runs without evaluations."""
    if not config.has_evaluation_environment:
        return None
    evaluator = Evaluator(config)
    stack.callback(evaluator.close)
    return evaluator


def _opponents(config: RunConfig, saved: SavedRun | None, path: Location | None) -> OpponentPool | None:
    """Return the opponents of a run that plays against itself, as the checkpoint at `path` has them; else None."""
    settings = config.training.environment.self_play
    if settings is None:
        return None
    pool = OpponentPool(settings)
    if saved is not None and path is not None and saved.snapshot.opponents is not None:
        pool.restore(saved.snapshot.opponents, path)
    return pool


def _try_environment(config: RunConfig, *, copies: bool) -> tuple[str | None, dict[str, str]]:
    """Return why a resumed run cannot continue its episodes, as a clause (None if it can), and the environment's facts.

    copies: whether the run continues its episodes if its environment allows it
    """
    training = config.training
    seed = evaluation_seed(config.seed)
    env = make_env(training.environment, seed=seed, max_steps_per_episode=training.max_steps_per_episode)
    try:
        reason: str | None = "other processes play it"
        if copies:
            reason = pickling_problem(env, seed=seed)
        else:
            env.reset(seed=seed)
        return reason, environment_facts(env, uses_masks=ALGORITHMS[config.agent.algorithm].uses_masks)
    finally:
        env.close()


def _check_resumable(config: RunConfig, saved: SavedRun, path: Location) -> None:
    """Raise CheckpointError if this run's algorithm or normalisation differs from the checkpoint's."""
    algorithm, training = saved.config.agent.algorithm, saved.config.training
    if algorithm != config.agent.algorithm:
        raise CheckpointError(
            f"The checkpoint at {path} was trained by {algorithm}; {config.agent.algorithm} cannot resume from it."
        )
    for key in ("normalize_observations", "normalize_rewards"):
        if getattr(training, key) != getattr(config.training, key):
            raise CheckpointError(
                f"The checkpoint at {path} was trained with {key}: {str(getattr(training, key)).lower()}. "
                "Use the same value to resume from it."
            )


def _continue(
    model: OnPolicyAlgorithm, env: VecEnv, saved: SavedRun, config: RunConfig, file: Path, path: Location
) -> None:
    """Restore weights, env steps and the normaliser from a checkpoint's file, and start new random streams.

    path: where it lies, for messages
    """
    _check_resumable(config, saved, path)
    load_weights(model, file)
    env_steps = saved.snapshot.progress.env_steps
    model.num_timesteps = env_steps
    seed = resumed_seed(config.seed, env_steps)
    set_random_seed(seed)
    env.seed(seed)
    normalizer = normalizer_of(env)
    if normalizer is not None and saved.snapshot.statistics is not None:
        restore_statistics(normalizer, saved.snapshot.statistics)


def _logger(config: RunConfig, folder: Path | None, log: TensorBoardLog | None, stack: ExitStack) -> Logger:
    """SB3's logger: it writes to `log` and, in smoke mode, to a readable text file, which `stack` closes."""
    formats: list[KVWriter] = [] if log is None else [log]
    if folder is not None and config.mode is Mode.SMOKE:
        file = stack.enter_context((folder / LOG_FILE).open("a", encoding="utf-8"))
        formats.append(HumanOutputFormat(file))
    return Logger(folder=None, output_formats=formats)
