"""Brings the stacks of a pipeline back into a state in which they can be changed.

What CloudFormation leaves behind after a failure, and the one way out of each state:

====================================================  ===========================================
CREATE_FAILED, ROLLBACK_COMPLETE, ROLLBACK_FAILED,    delete it; what follows makes it again
IMPORT_ROLLBACK_FAILED, DELETE_FAILED
UPDATE_ROLLBACK_FAILED                                continue the rollback; if it fails again,
                                                      continue it without what cannot be rolled back
DELETE_IN_PROGRESS, ..._ROLLBACK_IN_PROGRESS          wait for the end, and look again
====================================================  ===========================================

Source: *AWS CloudFormation User Guide*, "Stack status codes" and "Continue rolling back an update".
"""

from __future__ import annotations

import logging

from mlops_framework.orchestration.errors import PipelineBroken
from mlops_framework.orchestration.patience import Patience
from mlops_framework.orchestration.ports import StackGateway
from mlops_framework.orchestration.stack import Condition, Stack

LOGGER = logging.getLogger(__name__)


class Mending:
    """Mends stacks for one request.

    Args:
        stacks: CloudFormation.
        patience: Of the request; every wait may raise ``PatienceEnded``.
        pipeline_id: Whose stacks they are.
    """

    def __init__(self, stacks: StackGateway, patience: Patience, pipeline_id: str) -> None:
        self._stacks = stacks
        self._patience = patience
        self._pipeline_id = pipeline_id

    def stage(self, name: str) -> bool:
        """Make the stack of a stage deployable, by removing it if need be.

        Returns:
            Whether anything had to be mended.

        Raises:
            PatienceEnded: If it takes longer than the request may.
            PipelineBroken: If CloudFormation cannot.
        """
        stack = self._stacks.describe(name)
        undone = stack is not None and stack.is_being_undone
        if undone:
            stack = self.settled(name)
        if stack is None:
            return undone
        if stack.condition is Condition.WRECKED:
            self.remove(stack)
            return True
        if stack.condition is Condition.STUCK:
            self.roll_back(stack)
            return True
        return undone

    def settled(self, name: str) -> Stack | None:
        """The stack once CloudFormation has finished with it; nothing when it is gone."""
        return self._patience.until(self._stacks, name, _at_rest)

    def remove(self, stack: Stack) -> None:
        """Delete a stack and wait until it is gone.

        Raises:
            PatienceEnded: If it takes longer than the request may.
            PipelineBroken: If CloudFormation cannot.
        """
        LOGGER.info("removing stack %s, which is %s", stack.name, stack.status)
        self._stacks.delete(stack.name)
        self._patience.breathe()
        left = self.settled(stack.name)
        if left is None or left.condition is Condition.GONE:
            return
        raise PipelineBroken(
            f"The stack {stack.name} was {stack.status}. It has to be removed to be made again, "
            f"and could not be: it is {left.status}. {self._causes(left)}",
            next_step="Remove what holds the named resources and send the request again.",
            pipeline_id=self._pipeline_id,
        )

    def roll_back(self, stack: Stack) -> Stack:
        """Continue a failed rollback; what cannot be rolled back is left as it is.

        Returns:
            The stack, which can be updated.

        Raises:
            PatienceEnded: If it takes longer than the request may.
            PipelineBroken: If CloudFormation cannot.
        """
        LOGGER.info("continuing the rollback of stack %s", stack.name)
        self._stacks.continue_rollback(stack.name)
        self._patience.breathe()
        found = self.settled(stack.name)
        if found is not None and found.condition is Condition.STUCK:
            left = self._stacks.rollback_failures(stack.name)
            if left:
                skipped = tuple(failure.resource for failure in left)
                LOGGER.warning("rolling %s back without %s", stack.name, ", ".join(skipped))
                self._stacks.continue_rollback(stack.name, skip=skipped)
                self._patience.breathe()
                found = self.settled(stack.name)
        if found is not None and found.works:
            return found
        status = found.status if found else "gone"
        raise PipelineBroken(
            f"The rollback of the stack {stack.name} failed, also without the resources that "
            f"could not be rolled back; it is {status}. {self._causes(found or stack)}",
            next_step="Remove the cause that CloudFormation names and send the request again; if "
            "there is none left, continue the rollback in CloudFormation's console.",
            pipeline_id=self._pipeline_id,
        )

    def _causes(self, stack: Stack) -> str:
        causes = "; ".join(map(str, self._stacks.failures(stack.name)))
        return causes or stack.reason or "CloudFormation gives no reason."


def _at_rest(stack: Stack | None) -> bool:
    return stack is None or stack.condition is not Condition.BUSY
