/// The robots' models as MJCF text, embedded in this assembly: `Tasks/Robots/*.xml` and, named `dmc/<domain>`, `Tasks/Robots/dmc/*.xml`.
/// A model may take in pieces that several robots share with MJCF's own element, `<include file="common/<piece>.xml"/>` directly under
/// the root. The pieces are embedded too (`Tasks/Robots/common`); `read` puts them in place, so that a model needs no second file.
[<RequireQualifiedAccess>]
module NE.Model.Tasks.Robots

open System.IO
open System.Reflection
open System.Xml.Linq

[<Literal>]
let private Prefix = "robots/"

[<Literal>]
let private PiecePrefix = "robot-pieces/"

let private resources = Assembly.GetExecutingAssembly().GetManifestResourceNames()

/// The names of all resources with a prefix, without it, sorted.
let private under (prefix: string) =
    resources
    |> Array.filter _.StartsWith(prefix)
    |> Array.map _.Substring(prefix.Length)
    |> Array.sort
    |> List.ofArray

/// Names of all embedded robots.
let names: string list = under Prefix |> List.map _.Replace(".xml", "")

let private tryText (resource: string) : string option =
    match Assembly.GetExecutingAssembly().GetManifestResourceStream resource with
    | null -> None
    | stream ->
        use reader = new StreamReader(stream)
        Some(reader.ReadToEnd())

let private includes (elements: XElement seq) : XElement list =
    elements
    |> Seq.filter (fun element -> element.Name.LocalName = "include")
    |> List.ofSeq

/// Replaces every `<include>` under the root of an MJCF model by the elements of the piece it names; a text without one stays as it is.
/// `tryPiece` gives a piece's text. Raises `InvalidDataException` for a piece that it does not know, and for an include elsewhere.
let internal resolve (tryPiece: string -> string option) (robot: string) (text: string) : string =
    let root = XElement.Parse(text, LoadOptions.PreserveWhitespace)
    let direct = includes (root.Elements())

    for element in direct do
        let file =
            match element.Attribute "file" with
            | null -> ""
            | attribute -> attribute.Value

        match tryPiece file with
        | Some piece -> element.ReplaceWith(XElement.Parse(piece).Elements())
        | None ->
            let known = under PiecePrefix |> String.concat ", "
            raise (InvalidDataException $"Robot '{robot}' includes '{file}', which is not a shared piece; known pieces: {known}.")

    match includes (root.Descendants()) with
    | [] ->
        if direct.IsEmpty then
            text
        else
            root.ToString SaveOptions.DisableFormatting
    | stray :: _ ->
        raise (InvalidDataException $"Robot '{robot}' has {stray} below its root or in a piece; put it directly under the robot's root.")

/// The MJCF text of a robot, self-contained. Raises `FileNotFoundException` for a name that is not in `names`.
let read (name: string) : string =
    match tryText $"{Prefix}{name}.xml" with
    | Some text -> resolve (fun file -> tryText $"{PiecePrefix}{file}") name text
    | None ->
        let known = String.concat ", " names
        raise (FileNotFoundException $"There is no robot named '{name}'; known robots: {known}.")
