module NE.Model.Tests.Tasks.RobotsTests

open System.IO
open System.Xml
open System.Xml.Linq
open Expecto
open NE.Model.Tasks

let private message<'error when 'error :> exn> (action: unit -> string) =
    try
        failtest $"expected an error, got: {action ()}"
    with :? 'error as e ->
        e.Message

let private named (name: string) (element: XElement) =
    element.Descendants()
    |> Seq.filter (fun child -> child.Name.LocalName = name)
    |> List.ofSeq

let private resolve text =
    Robots.resolve
        (fun file -> Map.tryFind file (Map [ "lamp.xml", "<mujocoinclude><!-- why --><asset/><light/></mujocoinclude>" ]))
        "snail"
        text

let private everyRobot =
    testList "every robot" [
        for robot in Robots.names do
            test $"{robot} is well-formed, includes nothing and has no second file" {
                let root = XElement.Parse(Robots.read robot)
                Expect.equal root.Name.LocalName "mujoco" "root"
                Expect.isEmpty (named "include" root) "includes"
                Expect.all (root.DescendantsAndSelf()) (fun element -> isNull (element.Attribute "file")) "files"
            }

            test $"{robot} has a light" { Expect.isNonEmpty (named "light" (XElement.Parse(Robots.read robot))) "light" }
    ]

[<Tests>]
let tests =
    testList "robots" [
        everyRobot

        test "the names are the Gymnasium robots and those of the control suite's domains" {
            let suite = [
                "acrobot"
                "ball_in_cup"
                "cartpole"
                "cheetah"
                "finger_spin"
                "finger_turn_easy"
                "finger_turn_hard"
                "fish_swim"
                "fish_upright"
                "hopper"
                "humanoid"
                "pendulum"
                "point_mass"
                "quadruped_run"
                "quadruped_walk"
                "reacher"
                "swimmer"
                "walker"
            ]

            Expect.containsAll Robots.names (suite |> List.map (fun domain -> $"dmc/{domain}")) "control suite"
            Expect.containsAll Robots.names [ "ant"; "half_cheetah"; "hopper"; "humanoid"; "swimmer"; "walker2d" ] "Gymnasium"
            Expect.isFalse (Robots.names |> List.exists _.Contains("control_suite")) "shared pieces are no robots"
        }

        test "the control suite's robots share one look" {
            for robot in Robots.names |> List.filter _.StartsWith("dmc/") do
                let textures =
                    XElement.Parse(Robots.read robot) |> named "texture" |> List.map string

                let walker =
                    XElement.Parse(Robots.read "dmc/walker") |> named "texture" |> List.map string

                Expect.hasLength textures 2 $"{robot}: sky and tiles"
                Expect.equal textures walker $"{robot}: the walker's"
        }

        test "an unknown robot is refused with the known ones" {
            let said = message<FileNotFoundException>(fun () -> Robots.read "dmc/snail")
            Expect.stringContains said "'dmc/snail'" "the name"
            Expect.stringContains said "dmc/walker, half_cheetah" "known robots, in order"
            Expect.throwsT<FileNotFoundException> (fun () -> Robots.read "../Pieces/control_suite" |> ignore) "a piece is no robot"
        }

        test "a piece's elements take the place of its include, in order" {
            let text =
                resolve "<mujoco model='m'><option/><include file='lamp.xml'/><worldbody/></mujoco>"

            let elements =
                XElement.Parse(text).Elements() |> Seq.map _.Name.LocalName |> List.ofSeq

            Expect.equal elements [ "option"; "asset"; "light"; "worldbody" ] "elements"
        }

        test "a model without includes stays as it is, header and all" {
            let text =
                "<!-- head -->\n<mujoco model=\"m\">\n  <option timestep=\"0.01\"/>\n</mujoco>"

            Expect.equal (resolve text) text "text"
        }

        test "an include of an unknown piece names the robot, the piece and the known pieces" {
            let said =
                message<InvalidDataException>(fun () -> resolve "<mujoco><include file='moon.xml'/></mujoco>")

            for part in [ "'snail'"; "'moon.xml'"; "control_suite.xml" ] do
                Expect.stringContains said part "message"

            Expect.throwsT<InvalidDataException> (fun () -> resolve "<mujoco><include/></mujoco>" |> ignore) "no file at all"
        }

        test "a piece may be put into a body" {
            let text =
                resolve "<mujoco><worldbody><body><geom/><include file='lamp.xml'/></body></worldbody></mujoco>"

            let body = (XElement.Parse text).Descendants "body" |> Seq.exactlyOne
            Expect.equal (body.Elements() |> Seq.map _.Name.LocalName |> List.ofSeq) [ "geom"; "asset"; "light" ] "elements"
        }

        test "a piece with an include of its own is refused" {
            let nested = "<mujoco><include file='a.xml'/></mujoco>"

            let said =
                message<InvalidDataException>(fun () -> Robots.resolve (fun _ -> Some nested) "snail" nested)

            Expect.stringContains said "'a.xml' of robot 'snail' has an include of its own" "message"
        }

        test "text that is not XML is refused" { Expect.throwsT<XmlException> (fun () -> resolve "<mujoco>" |> ignore) "unclosed" }
    ]
