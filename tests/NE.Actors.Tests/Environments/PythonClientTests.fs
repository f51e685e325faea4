/// The Python client on environments as they are found in the field. Gymnasium itself is played by a module of the same name.
module NE.Actors.Tests.Environments.PythonClientTests

open System
open System.IO
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Environments.External
open NE.Actors.Tests.Environments.ExternalTests
open NE.Actors.Tests.Runs
open NE.Tests

/// What `gymnasium.make` is called with is what the environment shows.
let private gymnasium =
    """
class Box:
    shape, low, high = (1,), [-1.0], [1.0]

class Walk:
    action_space = Box
    metadata = {"render_modes": ["rgb_array"]}
    def __init__(self, name, render_mode=None, level=1, size=(0, 0), flat=True, mood="calm"):
        self.name, self.render_mode, self.level, self.size, self.flat, self.mood = name, render_mode, level, size, flat, mood
    @property
    def unwrapped(self): return self
    def reset(self, seed=None):
        return [len(self.name), self.level, sum(self.size), 1.0 if self.flat is True else 0.0, len(self.mood)], {}
    def step(self, action): return self.reset()[0], 0.0, False, False, {}
    def render(self): return [[[255, 0, 0]]]

class Blind(Walk):
    def __init__(self, name):
        super().__init__(name)

def make(name, **keywords):
    return Blind(name, **keywords) if name.startswith("Blind") else Walk(name, **keywords)
"""

let private wrappers =
    """
class Scaled:
    def __init__(self, environment, factor=1.0): self.environment, self.factor = environment, factor
    def __getattr__(self, name): return getattr(self.environment, name)
    def reset(self, **keywords):
        observation, info = self.environment.reset(**keywords)
        return [self.factor * number for number in observation], info
"""

/// What `gymnasium.make` of version 1 returns: wrappers that hand nothing on which they do not know, and let nobody step before a reset.
let private layers =
    """
class Wrapper:
    def __init__(self, env): self.env = env
    @property
    def unwrapped(self): return self.env.unwrapped
    @property
    def action_space(self): return self.env.action_space
    def get_wrapper_attr(self, name): return getattr(self, name) if hasattr(self, name) else self.env.get_wrapper_attr(name)
    def reset(self, seed=None): return self.env.reset(seed=seed)
    def step(self, action): return self.env.step(action)

class OrderEnforcing(Wrapper):
    ready = False
    def reset(self, seed=None):
        self.ready = True
        return super().reset(seed=seed)
    def step(self, action):
        assert self.ready, "Cannot call env.step() before calling env.reset()"
        return super().step(action)

class TimeLimit(Wrapper):
    _elapsed_steps = None
    def reset(self, seed=None):
        self._elapsed_steps = 0
        return super().reset(seed=seed)
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        self._elapsed_steps += 1
        return observation, reward, terminated, self._elapsed_steps >= 5, info

class Walk:
    action_space = type("Box", (), {"shape": (1,), "low": [-1.0], "high": [1.0]})
    @property
    def unwrapped(self): return self
    def get_wrapper_attr(self, name): return getattr(self, name)
    def reset(self, seed=None):
        self.place = 0
        return [0.0], {}
    def step(self, action):
        self.place += 1
        return [float(self.place)], 0.0, False, False, {}
    def save_state(self): return b"%d" % self.place
    def restore_state(self, state): self.place = int(state)

def make(name, render_mode=None): return TimeLimit(OrderEnforcing(Walk()))
"""

/// The client with a folder of modules.
let private python (folder: string) (arguments: string list) =
    [ "env"; $"PYTHONPATH={folder}"; Python.interpreter; client ] @ arguments

let private inModules (modules: (string * string) list) (body: string -> unit) =
    Training.inFolder (fun folder ->
        for name, text in modules do
            File.WriteAllText(Path.Combine(folder, name), text)

        body folder)

let private firstOf (command: string list) =
    use environment = started command
    reset environment 1L 0L

/// An environment of one number and one action, made of the given methods.
let private small (methods: string) =
    "class Box:\n    shape, low, high = (1,), [-1.0], [1.0]\nclass Small:\n    action_space = Box\n"
    + methods

let private tried (folder: string) (arguments: string list) : string =
    let id = EnvironmentId.External(python folder arguments).Text

    messageOf<EnvironmentUnusableException>(fun () -> EnvironmentFactory.Try(Training.settings [], id) |> ignore)

[<Tests>]
let tests =
    testList "the Python client" [
        pythonTest "makes gym:ID and gym:PACKAGE:ID, with keyword arguments and wrappers"
        <| fun () ->
            inModules [ "gymnasium.py", gymnasium; "wrappers.py", wrappers ] (fun folder ->
                let first arguments = firstOf (python folder arguments)
                Expect.equal (first [ "gym:Walk-v0" ]) [| 7f; 1f; 0f; 1f; 4f |] "an id"
                Expect.equal (first [ "gym:my.package:Walk-v0" ] |> Array.head) 18f "the package goes to gymnasium.make, which imports it"

                Expect.equal
                    (first [
                        "gym:Walk-v0"
                        "--kwargs"
                        "level=3"
                        "size=[4,5]"
                        "flat=false"
                        "mood=deep blue"
                    ])
                    [| 7f; 3f; 9f; 0f; 9f |]
                    "numbers, lists, truth and texts"

                Expect.equal
                    (first [
                        "gym:Walk-v0"
                        "--wrapper"
                        "wrappers:Scaled"
                        "factor=0.5"
                        "--wrapper"
                        folder + "/wrappers.py:Scaled"
                        "factor=10"
                    ])
                    [| 35f; 5f; 0f; 5f; 20f |]
                    "wrappers of a module and of a file"

                contains (startOf (python folder [ "gym:Walk-v0"; "--kwargs"; "level" ]) patience) [ "expected NAME=VALUE, found 'level'" ]

                contains (startOf (python folder [ "gym:Walk-v0"; "--kwargs"; "speed=1" ]) patience) [
                    "unexpected keyword argument 'speed'"
                ])

        pythonTest "asks gymnasium for a render mode, so that an environment can be filmed, and goes on where it has none"
        <| fun () ->
            inModules [ "gymnasium.py", gymnasium ] (fun folder ->
                use walk = started (python folder [ "gym:Walk-v0" ])
                reset walk 1L 0L |> ignore
                Expect.equal (walk.Render(2, 1)) [| 255uy; 0uy; 0uy; 255uy; 0uy; 0uy |] "a picture"
                use blind = started (python folder [ "gym:Blind-v0" ])
                Expect.isFalse blind.Renders "none"
                // Runs of a client that asked for no render mode are continued.
                match walk.Spec.Fingerprint with
                | null -> failtest "no fingerprint"
                | print -> EnvironmentFingerprint.Require("gym", EnvironmentFingerprint.OfText(string print.Equivalent), print))

        pythonTest "folds a seed of 63 bits where it is refused, and seeds alike in every process"
        <| fun () ->
            for bits in [ 32; 31 ] do
                let text =
                    small
                        $"    def reset(self, seed=None):\n        assert seed < 2 ** {bits}, 'Seed must be smaller'\n        return [seed / 2.0 ** {bits}], {{}}\n"

                inModules [ "small.py", text ] (fun folder ->
                    let episodes () =
                        use environment = started (python folder [ "small:Small" ])
                        [ for episode in 0L .. 9L -> reset environment 1L episode |> Array.head ]

                    let one = episodes ()
                    Expect.equal (episodes ()) one "another process"
                    Expect.equal (List.distinct one).Length 10 "different episodes"
                    Expect.isTrue (one |> List.forall (fun seed -> seed >= 0f && seed < 1f)) "in range")

        pythonTest "folds seeds in a process that goes on from a state as in the one that was never stopped"
        <| fun () ->
            let text =
                small
                    """
    def reset(self, seed=None):
        assert seed < 2 ** 31, "Seed must be smaller"
        self.seed = seed
        return [seed / 2.0 ** 31], {}
    def save_state(self): return b"%d" % self.seed
    def restore_state(self, state): self.seed = int(state)
"""

            inModules [ "small.py", text ] (fun folder ->
                let command = python folder [ "small:Small" ]
                use whole = started command
                reset whole 1L 0L |> ignore
                use resumed = started command
                resumed.RestoreState(whole.SaveState(), observe resumed)

                for episode in 1L .. 9L do
                    Expect.equal (reset resumed 1L episode) (reset whole 1L episode) $"episode {episode}")

        pythonTest "takes a reset that fails later for a failure, not for a refused seed"
        <| fun () ->
            let text =
                small
                    """
    observation_space = Box
    resets = 0
    def reset(self, seed=None):
        self.resets += 1
        if self.resets == 3: raise OSError("the licence server is away")
        return [float(seed >= 2 ** 32)], {}
"""

            inModules [ "small.py", text ] (fun folder ->
                use environment = started (python folder [ "small:Small" ])

                for episode in 0L .. 1L do
                    Expect.equal (reset environment 1L episode) [| 1f |] "a seed that is not folded"

                contains (messageOf<ExternalEnvironmentException>(fun () -> reset environment 1L 2L |> ignore)) [
                    "could not do Reset"
                    "the licence server is away"
                ])

        pythonTest "saves the state of an environment inside of wrappers that hand nothing on, and the steps that they count"
        <| fun () ->
            inModules [ "gymnasium.py", layers ] (fun folder ->
                let command = python folder [ "gym:Walk-v0" ]
                use whole = started command
                Expect.isTrue whole.Spec.SavesState "it can"
                reset whole 1L 0L |> ignore

                for _ in 1..3 do
                    step whole [| 0f |] |> ignore

                let state = whole.SaveState()
                use resumed = started command
                let observation = observe resumed
                resumed.RestoreState(state, observation)
                Expect.equal observation [| 3f |] "the last observation"
                Expect.equal (resumed.SaveState()) state "at once"

                for last in [ false; true ] do
                    let result = step whole [| 0f |]
                    Expect.equal (step resumed [| 0f |]) result "a step"
                    Expect.equal result.Truncated last "the limit counts the steps of before"

                // A client of before stored no counts: 13 bytes of ours, the number of observations, the observation, the state.
                let old =
                    Array.concat [ state[..12]; BitConverter.GetBytes 1u; state[17..20]; state[30..] ]

                use older = started command
                older.RestoreState(old, observation)
                Expect.equal observation [| 3f |] "the last observation of before"
                Expect.isFalse (step older [| 0f |]).IsLast "under way")

        pythonTest "a file finds the modules beside it, and a module may be one of the working folder"
        <| fun () ->
            let text =
                "import beside\n"
                + small "    def reset(self, seed=None): return [beside.VALUE], {}\n"

            inModules [ "beside.py", "VALUE = 7.0\n"; "shown.py", text ] (fun folder ->
                let own = [ Python.interpreter; client ]
                Expect.equal (firstOf (own @ [ folder + "/shown.py:Small" ])) [| 7f |] "a file"
                Expect.equal (firstOf ([ "env"; "-C"; folder ] @ own @ [ "shown:Small" ])) [| 7f |] "a module")

        pythonTest "an environment that reads standard input, itself or by a program, finds nothing and takes nothing from the protocol"
        <| fun () ->
            let text =
                small
                    """
    def reset(self, seed=None):
        import subprocess, sys
        program = subprocess.run(["cat"], stdout=subprocess.PIPE)
        return [float(len(program.stdout) + len(sys.stdin.read()))], {}
"""

            inModules [ "small.py", text ] (fun folder ->
                Expect.equal (firstOf (python folder [ "small:Small" ])) [| 0f |] "bytes that were read")

        pythonTest "serves Gym's older interface"
        <| fun () ->
            let text =
                small
                    """
    metadata = {"render.modes": ["human", "rgb_array"]}
    def seed(self, seed): self.start = seed % 7
    def reset(self): self.steps = 0; return [self.start]
    def step(self, action):
        self.steps += 1
        return [self.steps], 1.0, self.steps > 1, {"TimeLimit.truncated": action[0] > 0}
    def render(self, mode="human"): return [[[0, 255, 0]]] if mode == "rgb_array" else None
"""

            inModules [ "small.py", text ] (fun folder ->
                use environment = started (python folder [ "small:Small" ])
                let first = reset environment 1L 0L
                Expect.equal (reset environment 1L 0L) first "seeded"
                Expect.isFalse (step environment [| 1f |]).IsLast "under way"
                Expect.isTrue (step environment [| 1f |]).Truncated "a time limit"
                reset environment 1L 0L |> ignore
                step environment [| 0f |] |> ignore
                let last = step environment [| 0f |]
                Expect.equal (last.Terminated, last.Truncated) (true, false) "the end of the task"
                Expect.equal (environment.Render(1, 1)) [| 0uy; 255uy; 0uy |] "a picture")

        pythonTest "pickles equal states to equal bytes, in the process that was never stopped and in one that went on"
        <| fun () ->
            let text =
                small
                    """
    MOODS = ["calm as ever", "wild as ever"]
    GOALS = [(1.0, "far away"), (2.0, "near by")]
    def reset(self, seed=None):
        self.mood, self.goal, self.steps, self.visited, self.names, self.log = self.MOODS[0], self.GOALS[0], 0, {64}, set(), []
        return [0.0], {}
    def step(self, action):
        self.steps += 1
        # The same objects as before in this process, equal ones in another.
        self.last_mood, self.last_goal = self.MOODS[0], self.GOALS[0]
        self.visited.add(self.steps * 32); self.names.add("place %d" % self.steps); self.log.append({"mood": self.MOODS[self.steps % 2]})
        return [float(self.steps)], 0.0, False, False, {}
"""

            inModules [ "small.py", text ] (fun folder ->
                let command = python folder [ "small:Small"; "--pickle-state" ]
                use whole = started command
                reset whole 1L 0L |> ignore

                for _ in 1..4 do
                    step whole [| 0f |] |> ignore

                let state = whole.SaveState()
                use resumed = started command
                resumed.RestoreState(state, observe resumed)
                Expect.equal (resumed.SaveState()) state "at once"

                for _ in 1..5 do
                    Expect.equal (step resumed [| 0f |]) (step whole [| 0f |]) "a step"

                Expect.equal (resumed.SaveState()) (whole.SaveState()) "after more steps")

        pythonTest "refuses to pickle an environment whose pickles forget where it is"
        <| fun () ->
            let text =
                small "    _ezpickle_args = ()\n    def reset(self, seed=None): return [0.0], {}\n"

            inModules [ "small.py", text ] (fun folder ->
                contains (startOf (python folder [ "small:Small"; "--pickle-state" ]) patience) [ "EzPickle"; "leave --pickle-state out" ])

        pythonTest "names the number that cannot be learned from, in the first steps, before there is a run"
        <| fun () ->
            for value, shown in [ "1e39", "1e+39"; "float('nan')", "nan"; "float('-inf')", "-inf" ] do
                let observation =
                    small
                        $"    def reset(self, seed=None): return [0.5, 0.25], {{}}\n    def step(self, action): return [0.5, {value}], 0.0, False, False, {{}}\n"

                let reward =
                    small
                        $"    def reset(self, seed=None): return [0.5], {{}}\n    def step(self, action): return [0.5], {value}, False, False, {{}}\n"

                inModules [ "small.py", observation ] (fun folder ->
                    contains (tried folder [ "small:Small" ]) [ "first step failed"; $"observation 1 of Small is {shown};" ])

                inModules [ "small.py", reward ] (fun folder ->
                    contains (tried folder [ "small:Small" ]) [ "first step failed"; $"the reward of Small is {shown};" ])

        pythonTest "a state that cannot be saved, restored or stepped from is found in the first steps, before there is a run"
        <| fun () ->
            let methods (save: string) (restore: string) =
                small
                    $"""
    def reset(self, seed=None):
        self.place = 1
        return [0.5], {{}}
    def step(self, action): return [0.5 / self.place], 0.0, False, False, {{}}
    def save_state(self): {save}
    def restore_state(self, state): {restore}
"""

            let sound = "self.place = int(state)"

            for save, restore, fragments in
                [
                    "raise OSError('no room')", sound, [ "first save of its state failed"; "could not do Save: OSError: no room" ]
                    "return b'1'", "raise KeyError('goal')", [ "first restore of its state failed"; "KeyError: 'goal'" ]
                    "return b'1'", "self.place = 0", [ "first step after a restore failed"; "ZeroDivisionError" ]
                ] do
                inModules [ "small.py", methods save restore ] (fun folder -> contains (tried folder [ "small:Small" ]) fragments)

            inModules [ "small.py", methods "return b'1'" sound ] (fun folder ->
                let id = EnvironmentId.External(python folder [ "small:Small" ]).Text
                Expect.isTrue (EnvironmentFactory.Try(Training.settings [], id)).SavesState "a sound one")

        pythonTest "what would fail every episode fails before there is a run, in one sentence"
        <| fun () ->
            let space =
                "    observation_space = type('Space', (), {'shape': (3,), 'low': [-1.0], 'high': [1.0]})\n"

            for methods, fragments in
                [
                    "    def reset(self): return [0.5]\n", [ "reset() of Small takes no seed, and there is no seed()" ]
                    space + "    def reset(self, seed=None): return [0.5, 0.5], {}\n",
                    [
                        "first reset failed"
                        "an observation of Small has 2 numbers; its observation_space has 3"
                    ]
                    "    def reset(self, seed=None): return ['warm'], {}\n", [ "could not convert string to float: 'warm'" ]
                    "    def reset(self, seed=None): return [0.5], {}\n    def step(self, action): return [0.5], 0.0\n",
                    [
                        "first step failed"
                        "step() of Small returned 2 values; expected (observation, reward, terminated, truncated, info)"
                    ]
                    "    action_space = type('Discrete', (), {'n': 4})\n    def reset(self, seed=None): return [0.5], {}\n",
                    [
                        "expected an action_space with low and high"
                        "found <class 'small.Discrete'>"
                    ]
                ] do
                inModules [ "small.py", small methods ] (fun folder ->
                    let message = tried folder [ "small:Small" ]
                    contains message fragments
                    let sentence = message.Split('\n')[0]
                    Expect.isFalse (sentence.Contains "Traceback") "the traceback follows, it is not in the sentence"
                    let last = List.last fragments
                    Expect.equal (message.IndexOf last) (message.LastIndexOf last) "said once")
    ]
