module NE.Actors.Tests.Environments.TaskFileTests

open System
open System.IO
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Model
open NE.Model.Tasks
open NE.Actors.Tests.Runs.Training
open NE.Tests.Repository

/// Hopper-v4 as a user would write it down.
let private hopper =
    """
model: hopper.xml
description: hops
frameSkip: 4
timeLimit: 1000
camera: track
observation:
  - {part: qpos, from: 1}
  - {part: qvel, clip: 10}
reward:
  - {term: velocity, name: forward, joint: root_x}
  - {term: alive, onTermination: true}
  - {term: control-cost, weight: 0.001}
termination:
  - {rule: qpos, from: 2, outside: [-100, 100]}
  - {rule: qvel, outside: [-100, 100]}
  - {rule: position, joint: root_z, outside: [0.7, .inf]}
  - {rule: position, joint: root_pitch, outside: [-0.2, 0.2]}
reset:
  - {noise: uniform, of: qpos, scale: 0.005}
  - {noise: uniform, of: qvel, scale: 0.005}
"""

/// Ant-v5: contact forces, a lagged body position, inclusive bounds, normal noise.
let private ant =
    """
model: ant.xml
frameSkip: 5
observation:
  - {part: qpos, from: 2}
  - {part: qvel}
  - {part: contact-forces, clip: 1}
reward:
  - {term: velocity, body: torso, axis: x}
  - {term: alive}
  - {term: control-cost, weight: 0.5}
  - {term: contact-cost, weight: 5e-4, clip: 1}
termination:
  - {rule: not-finite}
  - {rule: position, joint: root, axis: z, outside: [0.2, 1.0], inclusive: true}
reset:
  - {noise: uniform, of: qpos, scale: 0.1}
  - {noise: normal, of: qvel, scale: 0.1}
"""

/// What is said when an environment is tried that cannot be used.
let private refusalOf (id: string) : string =
    try
        EnvironmentFactory.Try(settings [], id) |> ignore
        failtest "expected a refusal"
    with :? EnvironmentUnusableException as problem ->
        problem.Message

/// A folder with a task and the model of one of our robots.
let private withTask (robot: string) (yaml: string) (body: string -> 'T) : 'T =
    inFolder (fun folder ->
        File.WriteAllText(Path.Combine(folder, $"{robot}.xml"), Robots.read robot)
        let file = Path.Combine(folder, "task.yaml")
        File.WriteAllText(file, yaml)
        body file)

let private resetDraws (seed: int64) (episode: int64) =
    Draws.At(seed, Purpose.Reset, 0L, episode, 0L)

/// Observations and outcomes of some hundred steps over several episodes.
let private seen (environment: IEnvironment) (count: int) = [
    let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
    environment.Reset(resetDraws 3L 0L, observation)
    yield Array.copy observation, StepResult()

    for step in 1..count do
        let action =
            Array.init environment.Spec.ActionSize (fun i -> 1.1f * float32 (sin (0.37 * float step + 1.7 * float i)))

        let result = environment.Step(action, observation)
        yield Array.copy observation, result

        if result.IsLast then
            environment.Reset(resetDraws 3L (int64 step), observation)
            yield Array.copy observation, StepResult()
]

let private refused (file: string) : string =
    try
        EnvironmentFactory.Create(file).Dispose()
        failtest "expected an EnvironmentUnusableException"
    with :? EnvironmentUnusableException as problem ->
        problem.Message

let private replaced (old: string) (updated: string) (text: string) =
    Expect.stringContains text old "what the test replaces"
    text.Replace(old, updated)

let private equalsOurs robot id yaml =
    testCase $"{id} written as a task file gives exactly the same observations, rewards and ends"
    <| fun _ ->
        withTask robot yaml (fun file ->
            use ours = EnvironmentFactory.Create id
            use theirs = EnvironmentFactory.Create file
            let expected = seen ours 400
            Expect.isGreaterThan (expected |> List.filter (fun (_, result) -> result.Terminated) |> List.length) 2 "episodes that ended"
            Expect.equal (seen theirs 400) expected "every number"
            Expect.equal theirs.Spec.TimeLimit 1000 "time limit")

/// An arm whose motor is a filter, so that it has an activation, and a servo.
let private arm =
    """
<mujoco>
  <option gravity="0 0 0"/>
  <worldbody>
    <body>
      <joint name="shoulder" axis="0 1 0"/>
      <geom type="capsule" fromto="0 0 0 0.3 0 0" size="0.02"/>
      <body pos="0.3 0 0">
        <joint name="elbow" axis="0 1 0"/>
        <geom type="capsule" fromto="0 0 0 0.3 0 0" size="0.02"/>
      </body>
    </body>
  </worldbody>
  <actuator>
    <position name="servo" joint="elbow" kp="2.5" ctrllimited="true" ctrlrange="-1 1"/>
    <general name="slow" joint="shoulder" dyntype="filter" dynprm="0.1" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
  <sensor>
    <actuatorfrc name="of the filter" actuator="slow"/>
    <actuatorfrc name="of the servo" actuator="servo"/>
  </sensor>
  <keyframe>
    <key name="rest" qpos="0 0"/>
    <key/>
    <key name="home" time="3" qpos="0.4 -0.3" qvel="0.7 0.2" act="0.5" ctrl="-0.2 0.1"/>
  </keyframe>
</mujoco>
"""

/// What the sensors show: the filter's activation, and kp (ctrl - qpos) of the servo.
let private withKeyframes (body: string -> 'T) : 'T =
    inFolder (fun folder ->
        File.WriteAllText(Path.Combine(folder, "arm.xml"), arm)
        let file = Path.Combine(folder, "task.yaml")

        File.WriteAllText(
            file,
            """
model: arm.xml
keyframe: home
timeLimit: 20
observation:
  - {part: qpos}
  - {part: qvel}
  - {part: sensor, sensor: of the filter}
  - {part: sensor, sensor: of the servo}
reward:
  - {term: alive}
"""
        )

        body file)

/// A body of 1 kg that stands on the floor, on a slide that goes up and down.
let private standing (memory: string) (shape: string) =
    $"""
<mujoco>
  {memory}
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="mass" pos="0 0 0.099">
      <joint name="height" type="slide" axis="0 0 1"/>
      <geom {shape} mass="1"/>
    </body>
  </worldbody>
  <actuator>
    <motor joint="height" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
</mujoco>
"""

let private withStanding (memory: string) (shape: string) (yaml: string) (body: string -> unit) =
    inFolder (fun folder ->
        File.WriteAllText(Path.Combine(folder, "standing.xml"), standing memory shape)
        let file = Path.Combine(folder, "task.yaml")
        File.WriteAllText(file, "model: standing.xml\nframeSkip: 10\n" + yaml)
        body file)

let private ball = "type=\"sphere\" size=\"0.1\""

let private box = "type=\"box\" size=\"0.1 0.1 0.1\""

let private reset (file: string) (episode: int64) : float32[] =
    use environment = EnvironmentFactory.Create file
    let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
    environment.Reset(resetDraws 1L episode, observation)
    observation

let private wrong = [
    for title, old, updated, fragments in
        [
            "a joint that the model does not have",
            "joint: root_z",
            "joint: root_y",
            [
                ":17: "
                "termination rule position"
                "no joint 'root_y'"
                "did you mean 'root_x'"
                "root_pitch"
            ]
            "a sensor in a model without sensors",
            "{part: qvel, clip: 10}",
            "{part: sensor, sensor: imu}",
            [ ":9: "; "observation part sensor"; "no sensor 'imu'" ]
            "a camera that is not there", "camera: track", "camera: trak", [ ":6: "; "no camera 'trak'"; "did you mean 'track'" ]
            "an unknown term",
            "term: alive, onTermination: true",
            "term: alife",
            [ ":12: "; "no term 'alife'"; "did you mean 'alive'"; "control-cost" ]
            "an unknown key", "weight: 0.001", "wieght: 0.001", [ ":13: "; "no key 'wieght'"; "did you mean 'weight'" ]
            "an unknown key of the file", "frameSkip: 4", "frameskip: 4", [ ":4: "; "did you mean 'frameSkip'" ]
            "a word for a number",
            "scale: 0.005}\n  - {noise: uniform, of: qvel",
            "scale: big}\n  - {noise: uniform, of: qvel",
            [ ":20: "; "'scale' expects"; "'big'" ]
            "half a step", "frameSkip: 4", "frameSkip: 0.5", [ ":4: "; "whole number"; "'0.5'" ]
            "a range in the wrong order", "outside: [0.7, .inf]", "outside: [7, 0.7]", [ ":17: "; "two numbers in order" ]
            "a slice beyond the end", "from: 1", "from: 6", [ ":8: "; "the model has 6" ]
            "a slice that begins where no number lies", "from: 1", "from: 2147483647", [ ":8: "; "the model has 6"; "from 2147483647" ]
            "a slice of more numbers than there can be", "from: 1", "from: 1, count: 2147483647", [ ":8: "; "the model has 6" ]
            "two terms of one name",
            "{term: alive, onTermination: true}",
            "{term: control-cost}",
            [ ":13: "; "called 'control-cost' already" ]
            "a missing scale", "{noise: uniform, of: qvel, scale: 0.005}", "{noise: uniform, of: qvel}", [ ":21: "; "'scale' is missing" ]
            "a sigmoid that cannot be 0",
            "{term: alive, onTermination: true}",
            "{term: upright, body: torso, tolerance: {bounds: [1, 1], margin: 1, valueAtMargin: 0}}",
            [ ":12: "; "gaussian"; "between 0 and 1" ]
            "a point without a name",
            "{term: alive, onTermination: true}",
            "{term: distance, from: {body: torso}, to: {}}",
            [ ":12: "; "one of body, site and geom, found none" ]
            "two points at once",
            "{term: alive, onTermination: true}",
            "{term: position, body: torso, geom: torso, axis: x}",
            [ ":12: "; "found body and geom" ]
            "a model that is not there", "model: hopper.xml", "model: hoper.xml", [ ":2: "; "there is no model "; "hoper.xml" ]
            "no model", "model: hopper.xml", "", [ "'model' is missing" ]
            "no reward",
            hopper.Substring(hopper.IndexOf "reward:", hopper.IndexOf "termination:" - hopper.IndexOf "reward:"),
            "",
            [ "'reward' expects at least one term" ]
            "a list where a value belongs", "frameSkip: 4", "frameSkip: [4]", [ ":4: "; "'frameSkip' expects one value" ]
            "a key twice", "timeLimit: 1000", "timeLimit: 1000\ntimeLimit: 10", [ "not valid YAML"; "imeLimit" ]
            "an open bracket", "{part: qpos, from: 1}", "{part: qpos, from: 1", [ "not valid YAML" ]
        ] do
        testCase $"{title}: the message has the line and what to write instead"
        <| fun _ ->
            withTask "hopper" (replaced old updated hopper) (fun file ->
                let message = refused file

                for fragment in fragments do
                    Expect.stringContains message fragment "the message"

                Expect.stringContains message (if message.Contains "problems" then "task.yaml:" else file) "the file")
]

let private savedBy (file: string) =
    use environment = EnvironmentFactory.Create file
    let worker = EnvironmentWorker(environment, settings [], 0)
    worker.Begin 0L
    worker.Save()

/// The message of a restore that must be refused.
let private restored (file: string) (state: byte[]) =
    use environment = EnvironmentFactory.Create file
    let worker = EnvironmentWorker(environment, settings [], 0)

    try
        worker.Restore state
        ""
    with :? EnvironmentUnusableException as problem ->
        problem.Message

let private withoutRoom =
    testCase "an episode ends when contacts or constraints do not fit into the model's memory for them, and the first steps say so"
    <| fun _ ->
        let yaml = "observation:\n  - {part: qpos}\nreward:\n  - {term: alive}\n"

        let firstStep (memory: string) (look: string -> StepResult -> float32[] -> float32[] -> unit) =
            withStanding $"<size {memory} nstack=\"100000\"/>" box yaml (fun file ->
                use environment = EnvironmentFactory.Create file
                let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
                environment.Reset(resetDraws 1L 0L, observation)
                let before = Array.copy observation
                let still = [| 0.0f |]
                let result = environment.Step(still, observation)
                look file result before observation)

        for memory in [ "nconmax=\"2\""; "njmax=\"4\"" ] do
            firstStep memory (fun file result before after ->
                Expect.equal result (StepResult(0.0, false, true, true)) memory
                Expect.equal after before "the last sound observation"

                let problem = refusalOf file

                Expect.stringContains problem "its first step failed. The simulation diverged" "when"
                Expect.stringContains problem "<size nconmax" "what to write")

        firstStep "nconmax=\"10\" njmax=\"100\"" (fun file result _ _ ->
            Expect.isFalse result.IsLast "room for all"
            Expect.equal (EnvironmentFactory.Try(settings [], file)).Id "task" "accepted")

[<Tests>]
let tests =
    testList "a task file" [
        equalsOurs "hopper" "Hopper-v4" hopper
        equalsOurs "ant" "Ant-v5" ant
        yield! wrong

        testCase "every problem is told at once"
        <| fun _ ->
            let yaml =
                hopper
                |> replaced "part: qpos" "part: qqpos"
                |> replaced "joint: root_x" "joint: rootx"
                |> replaced "timeLimit: 1000" "timeLimit: never"

            withTask "hopper" yaml (fun file ->
                let message = refused file
                Expect.stringContains message "3 problems" "the count"

                for fragment in [ "'qpos'"; "'root_x'"; "'never'" ] do
                    Expect.stringContains message fragment "each")

        testCase "a file that is not there, is empty or is no mapping is refused with its place"
        <| fun _ ->
            Expect.stringContains (refused "/nowhere/task.yaml") "/nowhere/task.yaml" "not there"

            for text in [ ""; "# nothing\n"; "- a\n- b\n"; "a: 1\n---\nb: 2\n" ] do
                withTask "hopper" text (fun file -> Expect.stringContains (refused file) "expected one document of `key: value` lines" text)

        testCase "a model that does not compile is told in MuJoCo's words, with the model's line"
        <| fun _ ->
            withTask "hopper" hopper (fun file ->
                let model = Path.Combine(Path.GetDirectoryName file |> string, "hopper.xml")
                File.WriteAllText(model, (File.ReadAllText model).Replace("<joint name=\"hip\"/>", "<joint name=\"hip\" typ=\"hinge\"/>"))
                let message = refused file
                Expect.stringContains message "hopper.xml" "the model"
                Expect.stringContains message "typ" "MuJoCo's reason"
                Expect.stringContains message "line" "MuJoCo's line")

        testCase
            "a model with an element, attribute or keyword that the library does not know is told with the library's version and what to do"
        <| fun _ ->
            let told (old: string) (updated: string) =
                withTask "hopper" hopper (fun file ->
                    let model = Path.Combine(Path.GetDirectoryName file |> string, "hopper.xml")
                    File.WriteAllText(model, replaced old updated (File.ReadAllText model))
                    refused file)

            for message, what in
                [
                    told "<worldbody>" "<extension/><worldbody>", "the element <extension>"
                    told "<joint name=\"hip\"" "<joint actuatorfrcrange=\"-1 1\" name=\"hip\"", "the attribute actuatorfrcrange of <joint>"
                    told "<worldbody>" "<option integrator=\"implicitfast\"/><worldbody>", "the keyword implicitfast in <option>"
                ] do
                Expect.stringContains message $"The library here is MuJoCo 2.2.2, which does not know {what}" "version and cause"
                Expect.stringContains message "Leave it out" "what to do"

            Expect.stringContains (told " ctrllimited=\"true\"" "") "autolimits" "what newer versions assume"

            let typing = told "type=\"capsule\"" "type=\"capsule\" size=\"a\""
            Expect.isFalse (typing.Contains "which does not know") "another mistake"

        testCase "an actuator without limits and a model without actuators are refused"
        <| fun _ ->
            withTask "hopper" hopper (fun file ->
                let model = Path.Combine(Path.GetDirectoryName file |> string, "hopper.xml")
                let text = File.ReadAllText model
                File.WriteAllText(model, text.Replace("ctrllimited=\"true\" ", "").Replace("<motor ctrlrange=\"-1 1\"", "<motor"))
                Expect.stringContains (refused file) "actuator hip has no limits" "no limits"
                let first, last = text.IndexOf "<actuator>", text.IndexOf "</mujoco>"
                File.WriteAllText(model, text.Remove(first, last - first))
                Expect.stringContains (refused file) "no actuator" "no actuators")

        testCase "a model finds what it includes beside itself"
        <| fun _ ->
            withTask "hopper" (replaced "hopper.xml" "whole.xml" hopper) (fun file ->
                let folder = Path.GetDirectoryName file |> string
                File.WriteAllText(Path.Combine(folder, "whole.xml"), "<mujoco><include file=\"hopper.xml\"/></mujoco>")
                let there = Directory.GetCurrentDirectory()
                Expect.notEqual there folder "another working folder"
                use ours = EnvironmentFactory.Create "Hopper-v4"
                use theirs = EnvironmentFactory.Create file
                Expect.equal (seen theirs 20) (seen ours 20) "the same robot")

        testCase "a fresh simulator continues a saved episode exactly"
        <| fun _ ->
            withTask "ant" ant (fun file ->
                let state = savedBy file
                Expect.equal (savedBy file) state "the same bytes from the same files"
                Expect.equal (restored file state) "" "accepted")

        testCase
            "keyframe: an episode begins with the keyframe's positions, velocities, activations and controls, with noise on top where asked for"
        <| fun _ ->
            withKeyframes (fun file ->
                let start = reset file 1L
                Expect.equal start [| 0.4f; -0.3f; 0.7f; 0.2f; 0.5f; 0.25f |] "qpos, qvel, act, and force of the control"
                Expect.equal (reset file 2L) start "every episode"
                File.AppendAllText(file, "reset:\n  - {noise: uniform, of: qpos, scale: 0.1}\n")
                let noisy = reset file 1L
                Expect.notEqual noisy[0] 0.4f "noise"
                Expect.isLessThan (abs (noisy[0] - 0.4f)) 0.1f "on top of the keyframe"
                Expect.equal noisy[2..3] start[2..3] "velocities without noise"
                Expect.notEqual (reset file 2L) noisy "another episode, another noise")

        testCase "keyframe: a fresh simulator continues a saved episode exactly, and begins the same ones"
        <| fun _ ->
            withKeyframes (fun file ->
                let state = savedBy file
                Expect.equal (savedBy file) state "the same bytes from the same files"
                Expect.equal (restored file state) "" "accepted"
                use one = EnvironmentFactory.Create file
                use other = EnvironmentFactory.Create file
                Expect.equal (seen one 60) (seen other 60) "episodes")

        testCase "keyframe: an unknown name lists those that there are"
        <| fun _ ->
            withKeyframes (fun file ->
                File.WriteAllText(file, replaced "keyframe: home" "keyframe: hom" (File.ReadAllText file))
                let message = refused file
                Expect.stringContains message "the model has no keyframe 'hom'; did you mean 'home'?" "the nearest"
                Expect.stringContains message "rest, home" "all")

            withTask "hopper" ("keyframe: home\n" + hopper) (fun file ->
                Expect.stringContains (refused file) "no keyframe with a name at all" "none")

        testCase "an observation that 32 bits cannot hold is this environment's failure, with its index and value"
        <| fun _ ->
            withKeyframes (fun file ->
                let model = Path.Combine(Path.GetDirectoryName file |> string, "arm.xml")
                File.WriteAllText(model, replaced "kp=\"2.5\"" "kp=\"1e40\"" (File.ReadAllText model))

                let problem = refusalOf file

                Expect.stringContains problem "its first reset failed" "before there is a run"
                Expect.stringContains problem "The environment task gave" "which environment"
                Expect.stringContains problem "as observation 5" "which observation")

        testCase "a task or a model that was edited since is refused, and the message says which"
        <| fun _ ->
            withTask "hopper" hopper (fun file ->
                let state = savedBy file
                File.WriteAllText(file, replaced "weight: 0.001" "weight: 0.002" hopper)
                let message = restored file state
                Expect.stringContains message "the task file (was sha256" "what changed"
                Expect.isFalse (message.Contains "compiled model") "what did not"
                File.WriteAllText(file, hopper)
                Expect.equal (restored file state) "" "restored files are accepted"
                let model = Path.Combine(Path.GetDirectoryName file |> string, "hopper.xml")
                File.WriteAllText(model, (File.ReadAllText model).Replace("gear=\"200\"", "gear=\"201\""))
                let message = restored file state
                Expect.stringContains message "its compiled model (was sha256" "what changed"
                Expect.stringContains message "start a new run" "what to do")

        testCase "control ranges of one's own are rescaled for the agent"
        <| fun _ ->
            withTask "hopper" hopper (fun file ->
                let model = Path.Combine(Path.GetDirectoryName file |> string, "hopper.xml")
                File.WriteAllText(model, (File.ReadAllText model).Replace("ctrlrange=\"-1 1\"", "ctrlrange=\"-0.5 1\""))
                use environment = EnvironmentFactory.Create file
                Expect.equal environment.Spec.ActionLow [| -1.0f; -1.0f; -1.0f |] "for the agent"

                match environment.Spec.Native with
                | null -> failtest "not rescaled"
                | native -> Expect.equal native.ActionLow [| -0.5f; -0.5f; -0.5f |] "its own")

        testCase "the example's reward and observation are what its file says"
        <| fun _ ->
            let file = Path.Combine(repository, "examples/reaching-arm/reaching-arm.yaml")
            use environment = EnvironmentFactory.Create file :?> MuJoCoEnvironment
            let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
            (environment :> IEnvironment).Reset(resetDraws 1L 0L, observation)
            let action = [| 0.5f; -0.25f |]
            (environment :> IEnvironment).Step(action, observation) |> ignore
            let sites = environment.Simulator.SiteXPos.ToArray()
            let between = [| for axis in 0..2 -> sites[axis] - sites[3 + axis] |]
            let distance = sqrt (between |> Array.sumBy (fun x -> x * x))
            Expect.equal observation[4..5] [| float32 between[0]; float32 between[2] |] "target relative to the hand"
            let terms = environment.RewardTerms.ToArray()
            Expect.floatClose Accuracy.veryHigh terms[0] -distance "approach"

            Expect.floatClose Accuracy.veryHigh terms[1] (ControlSuite.Tolerance.gaussian (struct (0.0, 0.05)) 0.2 distance) "hold"

            Expect.floatClose Accuracy.veryHigh terms[2] (-0.01 * (0.25 + 0.0625)) "control"

        testCase "every other part and term reads what MuJoCo has under that name"
        <| fun _ ->
            inFolder (fun folder ->
                File.Copy(Path.Combine(repository, "examples/reaching-arm/arm.xml"), Path.Combine(folder, "arm.xml"))
                let file = Path.Combine(folder, "reading.yaml")

                File.WriteAllText(
                    file,
                    """
model: arm.xml
frameSkip: 2
camera: {body: lower, distance: 2}
observation:
  - {part: sensor, sensor: hand velocity}
  - {part: orientation, body: lower}
  - {part: position, geom: lower, axes: zx}
  - {part: body-velocities, bodies: lower}
  - {part: body-inertias, bodies: [upper, lower]}
  - {part: actuator-forces}
  - {part: constraint-forces, from: 1, count: 1}
  - {part: contact-forces}
reward:
  - {term: sensor, name: speed, sensor: hand velocity, norm: true}
  - {term: sensor, name: rise, sensor: hand velocity, component: 2, weight: 2}
  - {term: upright, body: upper}
  - {term: position, geom: lower, axis: z}
  - {term: joint-velocity, joint: elbow}
  - {term: velocity, site: hand, axis: x}
  - term: product
    of:
      - {term: upright, body: lower, tolerance: {bounds: [-1, 0], margin: 1, sigmoid: linear, valueAtMargin: 0}}
      - {term: position, joint: shoulder}
"""
                )

                use environment = EnvironmentFactory.Create file :?> MuJoCoEnvironment
                Expect.equal environment.Camera (Camera.Tracking(2, 2.0, 90.0, -20.0)) "camera"
                let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
                (environment :> IEnvironment).Reset(resetDraws 1L 0L, observation)
                let action = [| 1.0f; -1.0f |]

                for _ in 1..10 do
                    (environment :> IEnvironment).Step(action, observation) |> ignore

                let simulator = environment.Simulator
                let before = simulator.SiteXPos[3]
                (environment :> IEnvironment).Step(action, observation) |> ignore
                let matrix, geoms = simulator.XMat.ToArray(), simulator.GeomXPos.ToArray()
                let speed = simulator.SensorData.ToArray()

                let expected =
                    Array.concat [
                        speed
                        matrix[18..26]
                        [| geoms[5]; geoms[3] |]
                        simulator.CVel.ToArray()[12..17]
                        simulator.CInert.ToArray()[10..29]
                        simulator.QFrcActuator.ToArray()
                        [| simulator.QFrcConstraint[1] |]
                        simulator.CFrcExt.ToArray()[6..17]
                    ]

                Expect.equal observation (expected |> Array.map float32) "observation"
                Expect.isGreaterThan (abs speed[2]) 1e-3 "the hand moves"
                let upright = matrix[26]

                let reward = [|
                    sqrt (speed |> Array.sumBy (fun v -> v * v))
                    2.0 * speed[2]
                    matrix[17]
                    geoms[5]
                    simulator.QVel[1]
                    (simulator.SiteXPos[3] - before) / 0.01
                    (if upright <= 0.0 then 1.0 else 1.0 - upright) * simulator.QPos[0]
                |]

                for index, (found, expected) in Array.indexed (Array.zip (environment.RewardTerms.ToArray()) reward) do
                    Expect.floatClose Accuracy.veryHigh found expected $"term {index}")

        testCase "contact forces of the control suite's way of stepping are those of the last step, for a task that reads them"
        <| fun _ ->
            let way = "stepping: control-suite\nobservation:\n  - {part: qpos}\n"

            let reads =
                way + "  - {part: contact-forces, bodies: mass}\nreward:\n  - {term: alive}\n"

            let pays = way + "reward:\n  - {term: contact-cost}\n"
            let none = way + "reward:\n  - {term: alive}\n"
            let still = [| 0.0f |]

            let stood yaml (look: MuJoCoEnvironment -> float32[] -> unit) =
                withStanding "" ball yaml (fun file ->
                    use environment = EnvironmentFactory.Create file :?> MuJoCoEnvironment
                    let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
                    (environment :> IEnvironment).Reset(resetDraws 1L 0L, observation)

                    for _ in 1..200 do
                        (environment :> IEnvironment).Step(still, observation) |> ignore

                    look environment observation)

            let mutable height = 0.0

            stood reads (fun environment observation ->
                height <- environment.Simulator.QPos[0]
                Expect.isLessThan (abs (float observation[6] - 9.81)) 1e-3 "the floor carries the weight"
                Expect.equal observation[6] (float32 environment.Simulator.CFrcExt[11]) "by MuJoCo's name")

            stood pays (fun environment _ ->
                Expect.isLessThan (abs (environment.RewardTerms[0] + 9.81 * 9.81)) 0.02 "the cost of the weight"
                Expect.equal environment.Simulator.QPos[0] height "the same bits")

            stood none (fun environment _ ->
                Expect.all (environment.Simulator.CFrcExt.ToArray()) ((=) 0.0) "nobody reads them"
                Expect.equal environment.Simulator.QPos[0] height "the same bits")

            withStanding "" ball reads (fun file ->
                use whole = EnvironmentFactory.Create file
                let observation: float32[] = Array.zeroCreate whole.Spec.ObservationSize
                whole.Reset(resetDraws 1L 0L, observation)

                for _ in 1..7 do
                    whole.Step(still, observation) |> ignore

                use resumed = EnvironmentFactory.Create file
                let again: float32[] = Array.zeroCreate whole.Spec.ObservationSize
                resumed.RestoreState(whole.SaveState(), again)
                Expect.equal again observation "at once"
                whole.Step(still, observation) |> ignore
                resumed.Step(still, again) |> ignore
                Expect.equal again observation "after another step")

        testSequencedGroup "warnings of MuJoCo" withoutRoom

        testCase "pictures can be observed of a task file, also where actions are rescaled, but not of other processes"
        <| fun _ ->
            withTask "hopper" hopper (fun file ->
                let shape = PixelDefaults.Shape
                let described = EnvironmentFactory.DescribePixels(file, shape, 2)
                Expect.equal described.ActionHigh [| 1.0f; 1.0f; 1.0f |] "bounds"
                Expect.isNull described.Native "its own"
                let model = Path.Combine(Path.GetDirectoryName file |> string, "hopper.xml")
                File.WriteAllText(model, (File.ReadAllText model).Replace("ctrlrange=\"-1 1\"", "ctrlrange=\"-0.5 1\""))

                use rescaled = EnvironmentFactory.CreatePixels file
                Expect.equal rescaled.Spec.ActionLow [| -1.0f; -1.0f; -1.0f |] "rescaled"
                Expect.isNotNull rescaled.Spec.Native "from its own"

                for id in [ "external:no-such-program"; "plugin:nothing.dll" ] do
                    try
                        EnvironmentFactory.CreatePixels id |> ignore
                        failtest "expected a refusal"
                    with :? EnvironmentUnusableException as problem ->
                        Expect.stringContains problem.Message "Pictures can be observed" id)
    ]
