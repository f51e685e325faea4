/// The rooms (namespaces) of a C# project, read from its assembly with ArchUnitNET, and what docs/architecture.md says of them.
module NE.Tests.Rooms

open System
open System.IO
open System.Text.RegularExpressions
open ArchUnitNET.Domain
open ArchUnitNET.Fluent
open ArchUnitNET.Fluent.Slices
open ArchUnitNET.Loader
open Expecto

/// The types of one project.
type Project = {
    /// Name of the project, and of the namespace above its rooms.
    Name: string
    Architecture: Architecture
    /// Full names of its types, with the room of each.
    RoomOf: Map<string, string>
}

/// A type that uses a type of another room.
type Use = {
    From: string
    To: string
    /// "Type uses Type", for a person.
    Example: string
}

let private document =
    Path.Combine(__SOURCE_DIRECTORY__, "../../docs/architecture.md")

/// The room of a namespace as the document names it: without the project's name, which is the room of what lies above all others.
let private room (project: string) (space: string) =
    if space = project then
        Some project
    elif space.StartsWith(project + ".", StringComparison.Ordinal) then
        Some(space.Substring(project.Length + 1))
    else
        None

/// Generated code of the compiler's lies in other namespaces and is in no room.
let read (name: string) (assembly: Reflection.Assembly) : Project =
    let architecture = ArchLoader().LoadAssemblies(assembly).Build()

    let rooms =
        architecture.Types
        |> Seq.choose (fun found ->
            room name found.Namespace.FullName
            |> Option.map (fun room -> found.FullName, room))
        |> Map.ofSeq

    {
        Name = name
        Architecture = architecture
        RoomOf = rooms
    }

let rooms (project: Project) : Set<string> =
    project.RoomOf |> Map.values |> Set.ofSeq

/// One example for each two rooms of which one knows the other.
let private uses (project: Project) : Use list =
    project.Architecture.Types
    |> Seq.collect (fun user -> user.Dependencies |> Seq.map (fun dependency -> user, dependency.Target))
    |> Seq.choose (fun (user, used) ->
        match Map.tryFind user.FullName project.RoomOf, Map.tryFind used.FullName project.RoomOf with
        | Some from, Some toward when from <> toward ->
            Some {
                From = from
                To = toward
                Example = $"{user.Name} uses {used.Name}"
            }
        | _ -> None)
    |> Seq.sortBy (fun found -> found.From, found.To, found.Example)
    |> Seq.distinctBy (fun found -> found.From, found.To)
    |> List.ofSeq

/// Where the text between two marks of the document begins and ends, and the whole text.
let private section (name: string) (note: string) =
    let text = File.ReadAllText document
    let start, stop = $"<!-- {name}{note} -->\n", $"<!-- {name}: end -->"
    let first = text.IndexOf(start, StringComparison.Ordinal)
    let last = text.IndexOf(stop, StringComparison.Ordinal)

    if first < 0 || last < first then
        failtest $"docs/architecture.md lacks the marks of '{name}'"

    text, first + start.Length, last

/// The rooms of the document's table, from the first to the last.
let private ordered (project: Project) : string list =
    let text, first, last = section $"rooms of {project.Name}" ""

    Regex.Matches(text.Substring(first, last - first), @"^\| `([\w.]+)` \|", RegexOptions.Multiline)
    |> Seq.map (fun row -> row.Groups[1].Value)
    |> List.ofSeq

/// By the library: also of rooms within rooms, each of which counts for itself.
let requireNoCircles (project: Project) =
    let rule =
        SliceRuleDefinition.Slices().Matching($"{project.Name}.(**)").Should().BeFreeOfCycles()

    let found = [
        for result in rule.Evaluate project.Architecture do
            if not result.Passed then
                result.Description
    ]

    Expect.isEmpty found (String.concat "\n" found)

/// The order is written by hand: every room has a row, and knows only rooms of rows above its own.
let requireOrder (project: Project) =
    let order = ordered project
    let missing, gone = rooms project - set order, set order - rooms project
    Expect.isEmpty missing "these rooms have no row in docs/architecture.md"
    Expect.isEmpty gone "these rows of docs/architecture.md have no room"
    let place = order |> List.mapi (fun index room -> room, index) |> Map.ofList

    let upward = [
        for found in uses project do
            if place[found.To] > place[found.From] then
                $"{found.From} knows {found.To}, which stands below it: {found.Example}"
    ]

    Expect.isEmpty upward (String.concat "\n" upward)

/// Nothing but these rooms references Akka.
let requireAkkaOnlyIn (allowed: string list) (project: Project) =
    let spaces = allowed |> List.map (fun room -> Regex.Escape $"{project.Name}.{room}")

    let akka =
        ArchRuleDefinition.Types(true).That().ResideInNamespaceMatching(@"^Akka(\.|$)")

    let rule =
        ArchRuleDefinition
            .Types()
            .That()
            .ResideInNamespaceMatching($"^{Regex.Escape project.Name}(\\.|$)")
            .And()
            .DoNotResideInNamespaceMatching($"""^({String.concat "|" spaces})$""")
            .Should()
            .NotDependOnAny
            akka

    let found = [
        for result in (rule :> ICanBeEvaluated).Evaluate project.Architecture do
            if not result.Passed then
                result.Description
    ]

    Expect.isEmpty found (String.concat "\n" found)

/// Rooms that a room knows, without those that it knows by way of another that it knows.
let private reduced (known: Map<string, Set<string>>) =
    let rec reachable (seen: Set<string>) (room: string) =
        (seen, Map.tryFind room known |> Option.defaultValue Set.empty)
        ||> Set.fold (fun seen next ->
            if Set.contains next seen then
                seen
            else
                reachable (Set.add next seen) next)

    known
    |> Map.map (fun _ direct ->
        direct
        |> Set.filter (fun target ->
            direct
            |> Set.forall (fun other -> other = target || not (reachable Set.empty other |> Set.contains target))))

/// An arrow points to what a room knows.
let private picture (project: Project) : string =
    let known =
        uses project
        |> List.groupBy _.From
        |> List.map (fun (from, found) -> from, found |> List.map _.To |> Set.ofList)
        |> Map.ofList

    let arrows = reduced known

    let lines = [
        for room in List.rev (ordered project) do
            match Map.tryFind room arrows with
            | Some targets ->
                for target in targets do
                    $"    {room} --> {target}"
            | None -> $"    {room}"
    ]

    String.concat "\n" [ "```mermaid"; "graph TD"; yield! lines; "```"; "" ]

/// Compares the picture in docs/architecture.md with the code. NE_UPDATE_GOLDEN=1 draws it anew.
let requirePicture (project: Project) =
    let text, first, last =
        section $"picture of {project.Name}" ": generated, NE_UPDATE_GOLDEN=1 ./ne test"

    let drawn = picture project

    if Environment.GetEnvironmentVariable "NE_UPDATE_GOLDEN" = "1" then
        File.WriteAllText(document, text.Substring(0, first) + drawn + text.Substring last)
    else
        Expect.equal
            (text.Substring(first, last - first))
            drawn
            $"the picture of {project.Name} in docs/architecture.md is not that of the code; NE_UPDATE_GOLDEN=1 draws it anew"

/// All of it.
let tests (name: string) (assembly: Reflection.Assembly) (akka: string list) : Test =
    let project = lazy read name assembly

    testList "Rooms" [
        test "rooms have no circles" { requireNoCircles (project.Force()) }
        test "a room knows only rooms above it in docs/architecture.md" { requireOrder (project.Force()) }
        test "only the rooms of actors reference Akka" { requireAkkaOnlyIn akka (project.Force()) }
        test "the picture of the rooms in docs/architecture.md is that of the code" { requirePicture (project.Force()) }
    ]
