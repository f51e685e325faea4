module NE.Actors.Tests.Environments.EnvironmentIdTests

open System
open System.IO
open Expecto
open FsCheck
open NE.Actors.Environments

let private problem (id: string) : string =
    match EnvironmentId.Problem id with
    | null -> ""
    | text -> text

[<Tests>]
let tests =
    testList "an environment's id" [
        testCase "is one of our tasks, a task file, a plug-in or a command"
        <| fun _ ->
            let shape (id: string) =
                let parsed = EnvironmentId.Parse id
                parsed.GetType().Name, parsed.Text, parsed.ShortName

            Expect.equal (shape "Hopper-v4") ("BuiltIn", "Hopper-v4", "Hopper-v4") "ours"
            Expect.equal (shape "my/Arm.yaml") ("TaskFile", "my/Arm.yaml", "Arm") "a file"
            Expect.equal (shape "arm.YML") ("TaskFile", "arm.YML", "arm") "the other ending"
            Expect.equal (shape "plugin:a/Robots.dll") ("Plugin", "plugin:a/Robots.dll", "Robots") "a plug-in"
            Expect.equal (shape "plugin:Robots.dll#My.Arm") ("Plugin", "plugin:Robots.dll#My.Arm", "Arm") "its type"
            Expect.equal (shape "plugin:c#/Robots.dll") ("Plugin", "plugin:c#/Robots.dll", "Robots") "a folder with a '#'"
            Expect.equal (shape "plugin:c#/a.dll#/B.DLL#My.Arm") ("Plugin", "plugin:c#/a.dll#/B.DLL#My.Arm", "Arm") "the last one counts"

            Expect.equal
                (shape "external:  python3 'my env.py'  --a=\"b c\"")
                ("External", "external:python3 'my env.py' '--a=b c'", "external-python3")
                "a command"

        testCase "may be a cycle of tasks, whose mistakes are named"
        <| fun _ ->
            let cycle = EnvironmentId.Parse "cycle:Hopper-v4, dmc/walker-walk"
            Expect.equal cycle.Text "cycle:Hopper-v4,dmc/walker-walk" "text"
            Expect.equal cycle.ShortName "cycle-Hopper-v4-dmc/walker-walk" "name"
            Expect.equal (cycle.In "/elsewhere") cycle "elsewhere"
            Expect.equal (problem cycle.Text) "" "fine"

            for id, fragment in
                [
                    "cycle:", "empty"
                    "cycle:Hopper-v4,", "empty"
                    "cycle:Hopper-v4", "two tasks or more"
                    "cycle:Hopper-v4,Hoper-v4", "did you mean Hopper-v4"
                    "cycle:Hopper-v4,Ant-v4,Hopper-v4", "named 2 times"
                    "cycle:Hopper-v4,arm.yaml", "'arm.yaml' cannot be part"
                    "cycle:Hopper-v4,plugin:a.dll", "cannot be part"
                    "cycle:Hopper-v4,cycle:Ant-v4", "cannot be part"
                ] do
                Expect.stringContains (problem id) fragment id

        testCase "that cannot mean anything says what was expected"
        <| fun _ ->
            for id, fragment in
                [
                    "external:", "found no command"
                    "external: ", "found no command"
                    "external:python3 'open", "closing '"
                    "plugin:", "plugin:PATH.dll"
                    "plugin:Robots", "plugin:PATH.dll"
                    "plugin:Robots.dll#", "Namespace.Type"
                    "Hoper-v4", "did you mean Hopper-v4"
                    "nowhere/arm.yaml", Path.GetFullPath "nowhere/arm.yaml"
                    "plugin:nowhere/arm.dll", Path.GetFullPath "nowhere/arm.dll"
                ] do
                Expect.stringContains (problem id) fragment id

            Expect.equal (problem "Hopper-v4") "" "a known one"

        testCase "has absolute paths for another folder; only what exists is taken for a path of a command"
        <| fun _ ->
            NE.Actors.Tests.Runs.Training.inFolder (fun folder ->
                for name in [ "env.py"; "7" ] do
                    File.WriteAllText(Path.Combine(folder, name), "")

                let moved (id: string) =
                    (EnvironmentId.Parse id).In(folder).Text

                Expect.equal (moved "Hopper-v4") "Hopper-v4" "ours"
                Expect.equal (moved "a/arm.yaml") $"{folder}/a/arm.yaml" "a file"
                Expect.equal (moved "plugin:arm.dll#T") $"plugin:{folder}/arm.dll#T" "a plug-in"

                Expect.equal
                    (moved "external:python3 env.py env.py:Make --file=env.py other.py 7 0.5")
                    $"external:python3 {folder}/env.py {folder}/env.py:Make --file={folder}/env.py other.py 7 0.5"
                    "a command"

                Expect.equal
                    (moved "external:env A_1=env.py python3 client.py --kwargs model=env.py level=7 b=0.5 3d=env.py a-b=env.py =env.py")
                    $"external:env A_1={folder}/env.py python3 client.py --kwargs model={folder}/env.py level=7 b=0.5 3d=env.py a-b=env.py =env.py"
                    "a variable and a keyword argument"

                Expect.equal (moved "plugin:c#/arm.dll#T") $"plugin:{folder}/c#/arm.dll#T" "a plug-in in a folder with a '#'"
                Expect.equal (moved "external:./serve env.py") $"external:{folder}/serve {folder}/env.py" "a program by its path"
                Expect.equal (moved (moved "external:./serve env.py")) (moved "external:./serve env.py") "twice is once")

        testProperty "of a command reads back as the same words, whatever they are"
        <| fun (words: NonEmptyArray<char list>) ->
            let words = words.Get |> Array.map (List.toArray >> String)
            let again = EnvironmentId.Parse (EnvironmentId.External words).Text
            again = EnvironmentId.External words
    ]
