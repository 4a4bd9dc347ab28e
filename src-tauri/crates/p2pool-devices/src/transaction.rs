//! One change from the first look to the first result, as a state machine: facts and the time go
//! in, requests and waits come out. It touches no socket and no clock.

use std::collections::VecDeque;
use std::time::Duration;

use crate::error::{CallError, DeviceProblem};
use crate::progress::{DoorCount, Ending, Phase, RESULT_WITHIN};
use crate::request::Request;
use crate::script::{Goal, Reading, Script, unmet};

/// Between two looks at a device that is expected back.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The same once it is back and only its arrival at our door is missing.
const LOOK_EVERY_WHEN_BACK: Duration = Duration::from_secs(15);
/// A look takes at most this long: none is begun later before a deadline.
const LOOK_TAKES_MAX: Duration = Duration::from_secs(5);
/// What the machine asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Output {
    /// Tell the user.
    Phase(Phase),
    /// Read the device; answer with [`Fact::Read`].
    Read,
    /// Send this; answer with [`Fact::Sent`].
    Send(Request),
    /// Answer with [`Fact::Nothing`] after this time, or earlier if the door count changes.
    Wait(Duration),
    /// It is over.
    End(Result<Ending, DeviceProblem>),
}

/// What the machine is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// The device was read.
    Read(Result<Reading, CallError>),
    /// The request was sent.
    Sent(Result<(), CallError>),
    /// Time went by.
    Nothing,
}

/// The world at the moment of a fact.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    /// Time since the machine was made.
    pub(crate) elapsed: Duration,
    /// What the door has counted.
    pub(crate) door: DoorCount,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Is it the device, and are its settings those of the plan?
    Checking,
    Writing(usize),
    /// Did it keep what was sent?
    Comparing {
        deadline: Duration,
    },
    Restarting,
    Returning {
        deadline: Duration,
        next_look: Duration,
    },
    Finishing(usize),
    ComparingEnd,
    AwaitingResult {
        deadline: Duration,
    },
    Ended,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Transaction {
    script: Script,
    door_at_start: DoorCount,
    stage: Stage,
    outputs: VecDeque<Output>,
    /// Whether the writes were sent a second time.
    is_repeated: bool,
    /// Whether the present question was asked a second time.
    is_asked_again: bool,
    /// Whether the device answered since its restart.
    is_back: bool,
    /// What it showed otherwise than expected when it last answered.
    differing: Vec<String>,
}

impl Transaction {
    /// Begins a script.
    pub(crate) fn new(script: Script, door: DoorCount) -> Self {
        let mut machine = Self::at(script, door, Stage::Checking);
        if machine.script.goal == Goal::AtOurDoor {
            machine.put(Output::Phase(Phase::BackedUp));
        }
        machine.put(Output::Read);
        machine
    }

    /// Goes on waiting for a device that did not come in time.
    pub(crate) fn waiting_longer(script: Script, door_at_start: DoorCount) -> Self {
        let mut machine = Self::at(script, door_at_start, Stage::Restarting);
        machine.await_return(Now { elapsed: Duration::ZERO, door: door_at_start });
        machine
    }

    fn at(script: Script, door_at_start: DoorCount, stage: Stage) -> Self {
        Self {
            script,
            door_at_start,
            stage,
            outputs: VecDeque::new(),
            is_repeated: false,
            is_asked_again: false,
            is_back: false,
            differing: Vec::new(),
        }
    }

    /// The next thing to do; nothing while a fact is awaited.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Takes the fact that was asked for.
    pub(crate) fn handle(&mut self, now: Now, fact: Fact) {
        match (self.stage, fact) {
            (Stage::Checking, Fact::Read(read)) => self.checked(now, read),
            (Stage::Writing(index), Fact::Sent(sent)) => self.written(now, index, sent),
            (Stage::Comparing { deadline }, Fact::Read(read)) => self.compared(now, deadline, read),
            (Stage::Comparing { .. }, Fact::Nothing) => self.put(Output::Read),
            (Stage::Restarting, Fact::Sent(sent)) => self.restarted(now, sent),
            (Stage::Returning { deadline, .. }, Fact::Read(read)) => {
                self.looked(now, deadline, read);
            }
            (Stage::Returning { deadline, next_look }, Fact::Nothing) => {
                self.await_door(now, deadline, next_look);
            }
            (Stage::Finishing(index), Fact::Sent(sent)) => self.finished(index, sent),
            (Stage::ComparingEnd, Fact::Read(read)) => self.compared_end(read),
            (Stage::AwaitingResult { deadline }, Fact::Nothing) => {
                self.await_result(now, deadline);
            }
            (Stage::Ended, _) => {}
            (
                Stage::Checking
                | Stage::Writing(_)
                | Stage::Comparing { .. }
                | Stage::Restarting
                | Stage::Returning { .. }
                | Stage::Finishing(_)
                | Stage::ComparingEnd
                | Stage::AwaitingResult { .. },
                _,
            ) => unreachable!("the driver answers what it was asked"),
        }
    }

    fn checked(&mut self, now: Now, read: Result<Reading, CallError>) {
        match read {
            Ok(reading) if reading.identity.id != self.script.id => {
                self.fail(DeviceProblem::OtherDevice);
            }
            Ok(reading) => {
                let settings = unmet(&self.script.requires, &reading.document);
                if settings.is_empty() {
                    self.write(now, 0);
                } else {
                    self.fail(DeviceProblem::ChangedMeanwhile { settings });
                }
            }
            Err(error) => self.ask_again_or_fail(error),
        }
    }

    /// Sends the write at `index`, or goes on behind the last.
    fn write(&mut self, now: Now, index: usize) {
        if let Some(request) = self.script.writes.get(index).cloned() {
            self.stage = Stage::Writing(index);
            self.put(Output::Send(request));
        } else if self.script.writes.is_empty() {
            self.finish(0);
        } else if self.script.shows_at_once {
            self.compare(now);
        } else {
            self.put(Output::Phase(Phase::Sent));
            self.restart(now);
        }
    }

    fn written(&mut self, now: Now, index: usize, sent: Result<(), CallError>) {
        match sent {
            // What the device says to a write does not matter, what it shows afterwards does.
            Ok(()) | Err(CallError::TooLong { .. } | CallError::NotUnderstood(_)) => {
                self.write(now, index + 1);
            }
            // Perhaps it arrived: the device will show it.
            Err(CallError::Silent(_)) if self.script.shows_at_once => self.compare(now),
            Err(CallError::Silent(_)) if self.may_repeat() => {
                self.is_repeated = true;
                self.write(now, index);
            }
            Err(error) => self.fail_by(error),
        }
    }

    fn compare(&mut self, now: Now) {
        self.stage = Stage::Comparing { deadline: now.elapsed + self.script.back_within };
        self.put(Output::Read);
    }

    fn compared(&mut self, now: Now, deadline: Duration, read: Result<Reading, CallError>) {
        match read {
            Ok(reading) if reading.identity.id != self.script.id => {
                self.fail(DeviceProblem::OtherDevice);
            }
            Ok(reading) => {
                let settings = unmet(&self.script.expects, &reading.document);
                if settings.is_empty() {
                    self.put(Output::Phase(Phase::Sent));
                    self.restart(now);
                } else if self.may_repeat() {
                    self.is_repeated = true;
                    self.write(now, 0);
                } else {
                    self.fail(DeviceProblem::NotKept { settings });
                }
            }
            // Its web server pauses while it connects anew.
            Err(CallError::Silent(_)) if now.elapsed + LOOK_EVERY + LOOK_TAKES_MAX <= deadline => {
                self.put(Output::Wait(LOOK_EVERY));
            }
            Err(CallError::Silent(_)) => self.fail(DeviceProblem::NotBack),
            Err(error) => self.fail_by(error),
        }
    }

    fn may_repeat(&self) -> bool {
        self.script.may_repeat && !self.is_repeated
    }

    fn restart(&mut self, now: Now) {
        if let Some(request) = self.script.restart.clone() {
            self.stage = Stage::Restarting;
            self.put(Output::Send(request));
        } else {
            match self.script.goal {
                Goal::AtOurDoor => self.await_return(now),
                Goal::OldSettings => self.finish(0),
            }
        }
    }

    fn restarted(&mut self, now: Now, sent: Result<(), CallError>) {
        match sent {
            // A device that restarts may not find the time to say so.
            Ok(())
            | Err(CallError::Silent(_) | CallError::TooLong { .. } | CallError::NotUnderstood(_)) =>
            {
                self.put(Output::Phase(Phase::Restarting));
                self.await_return(now);
            }
            Err(error) => self.fail_by(error),
        }
    }

    fn await_return(&mut self, now: Now) {
        let deadline = now.elapsed + self.script.back_within;
        self.await_door(now, deadline, now.elapsed + LOOK_EVERY);
    }

    fn looked(&mut self, now: Now, deadline: Duration, read: Result<Reading, CallError>) {
        let mut pause = LOOK_EVERY;
        if let Ok(reading) = read
            && reading.identity.id == self.script.id
        {
            self.is_back = true;
            self.differing = unmet(&self.script.expects, &reading.document);
            if self.differing.is_empty() {
                match self.script.goal {
                    Goal::AtOurDoor => pause = LOOK_EVERY_WHEN_BACK,
                    Goal::OldSettings => return self.finish(0),
                }
            }
        }
        self.await_door(now, deadline, now.elapsed + pause);
    }

    /// Ends the wait for the device, or looks at it, or waits on.
    fn await_door(&mut self, now: Now, deadline: Duration, next_look: Duration) {
        self.stage = Stage::Returning { deadline, next_look };
        let has_come = now.door.logins > self.door_at_start.logins;
        if self.script.goal == Goal::AtOurDoor && has_come {
            self.put(Output::Phase(Phase::Connected));
            return self.await_result(now, now.elapsed + RESULT_WITHIN);
        }
        if now.elapsed >= deadline {
            let settings = std::mem::take(&mut self.differing);
            return self.fail(match (self.is_back, settings.is_empty()) {
                (false, _) => DeviceProblem::NotBack,
                (true, true) => DeviceProblem::OnOtherPool,
                (true, false) => DeviceProblem::NotKept { settings },
            });
        }
        if next_look + LOOK_TAKES_MAX > deadline {
            self.put(Output::Wait(deadline.saturating_sub(now.elapsed)));
        } else if now.elapsed >= next_look {
            self.put(Output::Read);
        } else {
            self.put(Output::Wait(next_look.saturating_sub(now.elapsed)));
        }
    }

    fn await_result(&mut self, now: Now, deadline: Duration) {
        self.stage = Stage::AwaitingResult { deadline };
        if now.door.results > self.door_at_start.results {
            self.put(Output::Phase(Phase::FirstResult));
            self.end(Ok(Ending::Hashing));
        } else if now.elapsed >= deadline {
            self.end(Ok(Ending::ConnectedOnly));
        } else {
            self.put(Output::Wait(deadline.saturating_sub(now.elapsed)));
        }
    }

    /// Sends the finishing request at `index`, or looks a last time behind the last.
    fn finish(&mut self, index: usize) {
        if let Some(request) = self.script.finishing.get(index).cloned() {
            self.stage = Stage::Finishing(index);
            self.put(Output::Send(request));
        } else {
            self.is_asked_again = false;
            self.stage = Stage::ComparingEnd;
            self.put(Output::Read);
        }
    }

    fn finished(&mut self, index: usize, sent: Result<(), CallError>) {
        match sent {
            Ok(())
            | Err(CallError::Silent(_) | CallError::TooLong { .. } | CallError::NotUnderstood(_)) => {
                self.finish(index + 1)
            }
            Err(error) => self.fail_by(error),
        }
    }

    fn compared_end(&mut self, read: Result<Reading, CallError>) {
        match read {
            Ok(reading) if reading.identity.id != self.script.id => {
                self.fail(DeviceProblem::OtherDevice);
            }
            Ok(reading) => {
                let settings = unmet(&self.script.finally, &reading.document);
                if settings.is_empty() {
                    self.end(Ok(Ending::Restored));
                } else {
                    self.fail(DeviceProblem::NotKept { settings });
                }
            }
            Err(CallError::Silent(_)) if self.is_asked_again => self.fail(DeviceProblem::NotBack),
            Err(error) => self.ask_again_or_fail(error),
        }
    }

    fn ask_again_or_fail(&mut self, error: CallError) {
        if matches!(error, CallError::Silent(_)) && !self.is_asked_again {
            self.is_asked_again = true;
            self.put(Output::Read);
        } else {
            self.fail_by(error);
        }
    }

    fn fail_by(&mut self, error: CallError) {
        let problem = match error {
            CallError::Denied(denial) => DeviceProblem::Refuses(denial),
            CallError::Rejected(words) => DeviceProblem::NotTaken(words),
            CallError::Silent(_) if self.script.goal == Goal::OldSettings => {
                DeviceProblem::UndoWaits
            }
            CallError::Silent(silence) => DeviceProblem::Silent(silence),
            CallError::NotPrivate(_) | CallError::TooLong { .. } | CallError::NotUnderstood(_) => {
                DeviceProblem::NotUnderstood
            }
        };
        self.fail(problem);
    }

    fn fail(&mut self, problem: DeviceProblem) {
        self.end(Err(problem));
    }

    fn end(&mut self, result: Result<Ending, DeviceProblem>) {
        self.stage = Stage::Ended;
        self.put(Output::End(result));
    }

    fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
