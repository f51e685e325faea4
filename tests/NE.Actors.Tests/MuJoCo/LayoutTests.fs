module NE.Actors.Tests.MuJoCo.LayoutTests

open Expecto
open NE.Actors.MuJoCo
open NE.Actors.Tests.MuJoCo.Layouts

/// Bytes of a field where it lies.
let private width (layout: MuJoCoLayout) structure field =
    match structure, field with
    | "Model", ("OffWidth" | "OffHeight" | "Integrator") -> 4
    | "Model", name when name.StartsWith 'N' -> layout.SizeBytes
    | "Data", "Warning" -> 8 * layout.Constants.Warnings
    | "Data", "ContactCount" -> 4
    | "Scene", "Camera" -> 24
    | ("Scene" | "Context"), _ -> 4
    | "View", ("Type" | "FixedId") -> 4
    | "View", "LookAt" -> 24
    | _ -> 8

/// 2.2.2 as it was measured with offsetof, and as runs were made with it before there was a table.
let private measured =
    "NQ 0 NV 4 NU 8 NA 12 NBody 16 NJoint 20 NGeom 24 NSite 28 NCamera 32 NLight 36 NSensor 124 NKeyframe 152 NMocap 156 NUserData 220 \
     NSensorData 224 Timestep 232 Integrator 432 OffWidth 496 OffHeight 500 QPos0 1096 BodyMass 1240 JointType 1280 JointPosition 1288 \
     JointVelocity 1296 JointLimited 1320 JointRange 1368 GeomSize 1592 GeomPos 1608 ActuatorControlLimited 2744 ActuatorControlRange 2792 \
     SensorSize 2920 SensorAddress 2928 | Warning 24 ContactCount 40332 Time 40336 QPos 40376 QVel 40384 Act 40392 QAccWarmStart 40400 \
     Ctrl 40408 QFrcApplied 40416 XFrcApplied 40424 MocapPos 40432 MocapQuat 40440 QAcc 40448 UserData 40464 SensorData 40472 XPos 40480 \
     XQuat 40488 XMat 40496 XIPos 40504 XIMat 40512 XAnchor 40520 XAxis 40528 GeomXPos 40536 GeomXMat 40544 SiteXPos 40552 SiteXMat 40560 \
     CameraXPos 40568 CameraXMat 40576 LightXPos 40584 LightXDir 40592 SubtreeCom 40600 CInert 40616 CVel 40960 SubtreeLinVel 41008 \
     SubtreeAngMom 41016 ActuatorForce 41080 QFrcActuator 41088 QFrcConstraint 41136 CFrcExt 41168 | MaxGeom 0 NGeom 4 Camera 8476 | | \
     Type 0 FixedId 4 LookAt 16 Distance 40 Azimuth 48 Elevation 56 | | OffWidth 40 OffHeight 44 CurrentBuffer 2300 | Warnings 8 BadQPos 4 \
     BadQAcc 6 Body 1 Joint 3 Geom 5 Site 6 Camera 7 Actuator 18 Sensor 19 Keyframe 23"

let private table (entries: (int * int) list) : MuJoCoLayout list = [
    for version, mass in entries do
        withNumber (changed reference "Version" version) "Model" "BodyMass" mass
]

let private named (found: MuJoCoLayout | null) =
    match found with
    | null -> "refused"
    | layout -> $"{layout.VersionName} {layout.Version} with {layout.Model.BodyMass}"

[<Tests>]
let tests =
    testList "the table of MuJoCo's layouts" [
        test "2.2.2 has the offsets that it always had" {
            let written =
                structures reference
                |> List.map (fun (_, record) ->
                    numbers record
                    |> List.filter (fst >> (<>) "Size")
                    |> List.map (fun (name, value) -> $"{name} {value}")
                    |> String.concat " ")

            Expect.equal written (measured.Split '|' |> Array.map _.Trim() |> List.ofArray) "offsets"

            Expect.equal
                (structures reference
                 |> List.choose (snd >> numbers >> List.tryFind (fst >> (=) "Size"))
                 |> List.map snd)
                [ 3280; 41176; 8656; 68; 64; 104; 2304 ]
                "sizes"
        }

        test "it has nine versions in ascending order, named as MuJoCo numbers them" {
            let versions = [ for layout in MuJoCoLayouts.Known -> layout.Version ]
            Expect.equal versions (List.sort versions) "order"

            Expect.equal
                [ for layout in MuJoCoLayouts.Known -> layout.VersionName ]
                [
                    "2.2.2"
                    "2.3.7"
                    "3.0.1"
                    "3.1.6"
                    "3.2.7"
                    "3.3.7"
                    "3.6.0"
                    "3.9.0"
                    "3.12.0"
                ]
                "names"

            for layout in MuJoCoLayouts.Known do
                Expect.equal (MuJoCoLayouts.NameOf layout.Version) layout.VersionName "number and name"
        }

        for layout in MuJoCoLayouts.Known do
            test $"fields of {layout.VersionName} are aligned, do not overlap and lie inside their structures" {
                for structure, record in structures layout |> List.filter (fst >> (<>) "Constants") do
                    let fields = numbers record
                    let size = fields |> List.find (fst >> (=) "Size") |> snd
                    let places = fields |> List.filter (fst >> (<>) "Size") |> List.sortBy snd

                    for field, offset in places do
                        let width = width layout structure field
                        Expect.isTrue (offset >= 0 && offset + width <= size) $"{structure}.{field} inside"
                        Expect.equal (offset % min width 4) 0 $"{structure}.{field} aligned"

                        if structure = "Data" && width = 8 || structure = "Model" && width = 8 then
                            Expect.equal (offset % 8) 0 $"{structure}.{field} aligned"

                    for (one, first), (other, second) in List.pairwise places do
                        Expect.isGreaterThanOrEqual second (first + width layout structure one) $"{structure}.{other} behind {one}"
            }

            test $"sizes, warnings and kinds of {layout.VersionName} fit each other" {
                Expect.equal (layout.Model.NV - layout.Model.NQ) layout.SizeBytes "nq and nv are the first two sizes"
                Expect.equal layout.SizeBytes (if layout.Version < 3006000 then 4 else 8) "mjtSize"
                let constants = layout.Constants
                Expect.equal (constants.BadQAcc - constants.BadQPos) 2 "bad positions, velocities, accelerations"
                Expect.equal (constants.Warnings - constants.BadQAcc) 2 "and controls, which is the last"
                Expect.equal (constants.Sensor - constants.Actuator) 1 "kinds that follow each other"
                // mj_getState knows plugins from 2.3.7 on, equalities that can be switched off from 3.0, histories from 3.5.
                Expect.equal
                    (System.Numerics.BitOperations.PopCount(uint32 layout.MoreState))
                    (match layout.Version with
                     | v when v < 230 -> 0
                     | v when v < 300 -> 1
                     | v when v < 3000000 -> 2
                     | _ -> 3)
                    "bits of mjtState"

                Expect.equal layout.KinematicsNormalises (layout.Version < 320) "since 3.2.0"
                Expect.equal layout.IsThree (layout.Version >= 300) "plugins"
            }

        test "a version between two of the same layout has it too; any other one is refused" {
            let table = table [ 300, 8; 310, 8; 330, 16 ]

            let choose version =
                named (MuJoCoLayouts.For(table, version))

            Expect.equal (choose 310) "3.1.0 310 with 8" "known"
            Expect.equal (choose 305) "3.0.5 305 with 8" "between equals"
            Expect.equal (choose 320) "refused" "between others"
            Expect.equal (choose 299, choose 331) ("refused", "refused") "outside"
            Expect.equal (named (MuJoCoLayouts.For 336)) "refused" "between 3.2.7 and 3.3.7, which differ"
        }

        test "the self-test accepts what is right" { MuJoCoCanary.Check MuJoCoLibrary.Current }

        test "the self-test refuses the layout of every other version" {
            let sound = MuJoCoLibrary.Current

            for layout in Seq.tail MuJoCoLayouts.Known |> Seq.filter (fun layout -> layout.SizeBytes = 4) do
                Expect.throwsT<MuJoCoUnavailableException>
                    (fun () -> MuJoCoCanary.Check(MuJoCoLibrary(sound.Path, sound.Handle, layout, null)))
                    layout.VersionName
        }

        test "the self-test refuses a layout that is wrong in one place, wherever that is" {
            let said, last = WrongLayouts.start ()
            Expect.stringEnds (said |> List.tryLast |> Option.defaultValue "") WrongLayouts.Done $"the process ended at {last}"
            Expect.equal (said |> List.filter _.StartsWith("not refused")) [] "refused"
        }
    ]
