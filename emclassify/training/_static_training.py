"""A training whose memory stays where it is, so that its step can be replayed.

The order of an epoch, its rates and its losses lie on the device, in the same places
from the first epoch to the last; so does the place of the next batch in that order.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from emclassify.training._batches import ImageBatches, take
from emclassify.training._random_state import OwnRandomState
from emclassify.training._training_net import TrainingNet

__all__ = ["Key", "StaticTraining"]

# Of what a step goes by, what is read anew or set for each.
_MAY_CHANGE = {"params", "lr", "capturable", "training"}

# Which stack of images, and how many of them.
Key = tuple[int, int]


def _sent(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return values on a device that may be busy; nobody waits for it."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


class StaticTraining:
    """One training on memory that stays where it is.

    Parameters
    ----------
    net : TrainingNet
        Initialised, with its callbacks.
    batches : ImageBatches
        What it is trained on.
    state : OwnRandomState
        What it draws from.
    device : torch.device
        Where all of it is.
    """

    def __init__(
        self,
        net: TrainingNet,
        batches: ImageBatches,
        state: OwnRandomState,
        device: torch.device,
    ) -> None:
        self.net, self.batches, self.state = net, batches, state
        dataset = batches.dataset
        self.stacks = dataset.stacks
        self._samples = {
            "place": dataset.place_of[dataset.rows],
            "target": dataset.target,
            "weight": dataset.weight,
        }
        if dataset.features is not None:
            self._samples["features"] = dataset.features[dataset.rows]
        self._samples = {name: of.to(device) for name, of in self._samples.items()}
        # In the order of the epoch.
        self.samples = {name: of.clone() for name, of in self._samples.items()}
        named = dict(net.callbacks_)
        self.schedule = named.get("lr_schedule")
        self.records = [c for c in named.values() if getattr(c, "capturable", False)]
        self.span = torch.arange(batches.batch_size, device=device)
        # Of the next sample in the order, and of the next batch.
        self.at = torch.zeros(2, dtype=torch.long, device=device)
        self.ahead = {
            length: torch.tensor([length, 1], device=device)
            for _, length in batches.kinds()
        }
        n_groups = len(net.optimizer_.param_groups)
        self.losses = torch.zeros(len(batches), device=device)
        self.rates = torch.zeros(len(batches), n_groups, device=device)
        self.logits: torch.Tensor | None = None
        # The batches of an epoch, the one that is due or goes on, and where the first
        # of each kind begins: its sample and its number.
        self._keys: list[Key] = []
        self._first: dict[Key, tuple[int, int]] = {}
        # Random states before and after the next epoch was dealt, ahead of its time.
        self._ahead: tuple[torch.Tensor, torch.Tensor] | None = None
        # What skorch would have written by now, but for the losses.
        self._rows: list[dict] = []
        self._epoch_rates: list[list[float]] = []

    def begin_epoch(self) -> list[Key]:
        """Deal the batches; return the stack and the length of each."""
        if self._ahead is not None and torch.equal(self.state.cpu, self._ahead[0]):
            self.state.cpu = self._ahead[1]
        else:
            self._deal()
        if self.schedule is None:
            rates = [group["lr"] for group in self.net.optimizer_.param_groups]
            self.rates.copy_(torch.tensor(rates).expand_as(self.rates))
        self.rewind()
        return self._keys

    def _deal(self) -> None:
        """Put the samples of the next epoch in their order, and its rates."""
        device = self.at.device
        with self.state.in_use():
            dealt = self.batches.deal()
        order = _sent(torch.cat(dealt), device)
        for name, values in self._samples.items():
            torch.index_select(values, 0, order, out=self.samples[name])
        self._keys = [self.batches.kind(index) for index in dealt]
        self._first.clear()
        sample = 0
        for batch, key in enumerate(self._keys):
            self._first.setdefault(key, (sample, batch))
            sample += key[1]
        if self.schedule is not None:
            self._epoch_rates = self.schedule.rates_ahead(len(dealt))
            self.rates.copy_(_sent(torch.tensor(self._epoch_rates), device))

    def look_ahead(self, another: bool) -> None:
        """Deal the next epoch while the device is at work on this one.

        If the callbacks at its end draw random numbers, it is dealt anew.

        Parameters
        ----------
        another : bool
            Whether another epoch may come: a schedule need not know of more.
        """
        self._rows = [{"train_batch_size": length} for _, length in self._keys]
        if self.schedule is not None:
            for row, rates in zip(self._rows, self._epoch_rates, strict=True):
                row["event_lr"] = rates[0]
            with warnings.catch_warnings():
                # It can't know of steps that were replayed.
                warnings.filterwarnings("ignore", "Detected call of `lr_scheduler")
                self.schedule.skip(len(self._rows))
        for record in self.records:
            # Of all batches at once: it counts, and the order is the same.
            record.on_batch_end(
                self.net,
                batch=(None, self.samples["target"]),
                training=True,
                y_pred=self.logits,
            )
        self._ahead = None
        if another:
            before = self.state.cpu
            self._deal()
            self._ahead = before, self.state.cpu
            self.state.cpu = before

    def end_epoch(self) -> None:
        """Write what skorch writes batch by batch; here everything is waited for."""
        for row, loss in zip(self._rows, self.losses.tolist(), strict=True):
            row["train_loss"] = loss
        history = self.net.history
        history[-1]["batches"].extend(self._rows)
        history.record("train_batch_count", len(self._rows))

    def rewind(self) -> None:
        """Go to the first batch of the epoch."""
        self.at.zero_()

    def go_to(self, key: Key) -> int:
        """Go to the first batch of a kind; return its number.

        The places of another kind's samples are places in another stack.
        """
        sample, batch = self._first[key]
        self.at[0], self.at[1] = sample, batch
        return batch

    def step(self, stack: int, length: int) -> None:
        """Train on the next batch."""
        sample, batch = self.at[:1], self.at[1:]
        index = sample + self.span[:length]
        of = {name: v.index_select(0, index) for name, v in self.samples.items()}
        inputs = {"images": take(self.stacks[stack], of["place"])}
        if "features" in of:
            inputs["features"] = of["features"]
        net, optimizer = self.net, self.net.optimizer_
        rates = self.rates.index_select(0, batch).flatten().unbind()
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        done = net.train_step_single((inputs, (of["target"], of["weight"])))
        optimizer.step()
        logits = done["y_pred"].detach()
        if self.logits is None:  # in the first step to warm up
            self.logits = logits.new_zeros(len(self.samples["target"]), logits.shape[1])
        self.logits.index_copy_(0, index, logits)
        self.losses.index_copy_(0, batch, done["loss"].detach()[None])
        self.at.add_(self.ahead[length])

    def fixed(self) -> list[object]:
        """Return what a recorded step holds as it was: callbacks may change it.

        Which weights are trained and where they lie, the options of the optimizer but
        for its rate, the numbers that layers (of dropout, for one) and loss go by.
        """
        module, optimizer = self.net.module_, self.net.optimizer_
        fixed: list[object] = [
            (weight.requires_grad, weight.data_ptr()) for weight in module.parameters()
        ]
        fixed.append(id(optimizer))
        fixed += [
            {name: value for name, value in group.items() if name not in _MAY_CHANGE}
            for group in optimizer.param_groups
        ]
        for part in [*module.modules(), *self.net.criterion_.modules()]:
            fixed.append(
                {
                    name: value
                    for name, value in vars(part).items()
                    if isinstance(value, bool | int | float | str)
                    and name not in _MAY_CHANGE
                }
            )
        return fixed

    @contextmanager
    def static_rates(self) -> Iterator[None]:
        """Let the optimizer read its rates from the device; then it has its own."""
        optimizer = self.net.optimizer_
        # It would warn of steps that are not captured, as those to warm up.
        optimizer._warned_capturable_if_run_uncaptured = True
        groups = optimizer.param_groups
        plain = [dict(group) for group in groups]
        for group in groups:
            if "capturable" in group:
                group["capturable"] = True
        try:
            yield
        finally:
            for group, before in zip(groups, plain, strict=True):
                group.update(before)

    def forget_gradients(self) -> None:
        """Leave it to the next step where they lie."""
        self.net.optimizer_.zero_grad(set_to_none=True)

    def snapshot(self) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], dict]:
        """Return copies of all that a step changes."""
        module = self.net.module_
        tensors = [*module.parameters(), *module.buffers()]
        kept = [(tensor, tensor.detach().clone()) for tensor in tensors]
        optimizer = {
            weight: {name: value.clone() for name, value in state.items()}
            for weight, state in self.net.optimizer_.state.items()
        }
        return kept, optimizer

    @torch.no_grad()
    def put_back(
        self, snapshot: tuple[list[tuple[torch.Tensor, torch.Tensor]], dict]
    ) -> None:
        """Undo all steps since the snapshot, without moving anything."""
        kept, optimizer = snapshot
        for tensor, copy in kept:
            tensor.copy_(copy)
        for weight, state in self.net.optimizer_.state.items():
            before = optimizer.get(weight, {})
            for name, value in state.items():
                if name in before:
                    value.copy_(before[name])
                else:
                    value.zero_()
        self.losses.zero_()
        self.rewind()
