module NE.Actors.Tests.Journal.JournalCopyTests

open System
open System.IO
open Expecto
open Microsoft.Data.Sqlite
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Stores
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Journal.JournalKit
open NE.Actors.Tests.Journal.PostgresTests
open NE.Model.History
open NE.Tests.PostgresServer

let private refusal (action: unit -> unit) =
    try
        action ()
        failtest "expected a refusal"
    with
    | :? RunFolderException
    | :? JournalUnavailableException as error -> error.Message

/// Every value of every row, as the stores give them.
let private rows (paths: RunPaths) =
    let store = JournalStore.Of paths

    [
        for form in [ RowForm.Journal; RowForm.Snapshots ] do
            for row in form.Read store do
                [
                    for value in row ->
                        match value with
                        | :? (byte[]) as bytes -> Convert.ToHexString bytes
                        | value -> string value
                ]
    ]

let private used paths first last =
    use journal = new JournalProcess(paths)
    commitSome journal first last
    // The one before the last two is deleted behind the commit's answer.
    let snapshots () =
        Seq.length (RowForm.Snapshots.Read(JournalStore.Of paths))

    Expect.isTrue (Threading.SpinWait.SpinUntil((fun () -> snapshots () <= 2), TimeSpan.FromMinutes 1.0)) "two snapshots are kept"

let private ddl file =
    use connection =
        new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False")

    connection.Open()
    use command = connection.CreateCommand()
    command.CommandText <- "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    use found = command.ExecuteReader()

    [
        while found.Read() do
            found.GetString 0
    ]

[<Tests>]
let tests =
    testSequenced
    <| testList "a copy of a journal" [
        testCase "is exact in both directions, and the run goes on in it"
        <| fun () ->
            use scratch = new Scratch()
            let place = placeOf ((server ()).Url((server ()).NewDatabase()))
            let paths = runAt null scratch.Path
            used paths 1L 3L
            let before = rows paths
            let tables = [ paths.Journal; paths.Snapshots ] |> List.map ddl
            let there' = JournalCopy.Copy(paths, place)
            Expect.equal (there'.Records, there'.Snapshots) (6L, 2L) "all of it"
            Expect.equal (rows paths) before "on the server"
            Expect.isTrue (not (File.Exists paths.Journal) && File.Exists(paths.Journal + ".copied")) "the file is set aside"
            used paths 4L 4L
            let onServer = rows paths
            let back = JournalCopy.Copy(paths, null)
            Expect.equal back.Records 8L "all of it"
            Expect.equal (rows paths) onServer "in the folder"
            Expect.equal ([ paths.Journal; paths.Snapshots ] |> List.map ddl) tables "in the tables that the plug-in makes"
            used paths 5L 5L
            // What is on the server is the past of what is in the folder.
            JournalCopy.Copy(paths, place) |> ignore
            used paths 6L 6L
            Expect.equal (ordinals paths) [ 0L .. 11L ] "each once"

        testCase "is refused while somebody works on the run there, or when another journal of it is there"
        <| fun () ->
            use scratch = new Scratch()
            let place = placeOf ((server ()).Url((server ()).NewDatabase()))
            let paths = runAt place scratch.Path

            do
                use journal = new JournalProcess(paths)
                commitSome journal 1L 2L

                Expect.stringContains
                    (refusal (fun () -> JournalCopy.Copy(paths, null) |> ignore))
                    "in use by process"
                    "by a process of another machine"

            Expect.stringContains (refusal (fun () -> JournalCopy.Copy(paths, place) |> ignore)) "already" "where it is"
            // The same id, another history.
            let other = newRun (scratch.Sub "other")
            describe other (RunInfo.Read(paths.RunInfo).Id) null
            used other 1L 1L

            Expect.stringContains
                (refusal (fun () -> JournalCopy.Copy(other, place) |> ignore))
                "another journal of this run"
                "not replaced"

            Expect.equal (ordinals other) [ 0L; 1L ] "still in its folder"
            Expect.equal (ordinals paths) [ 0L .. 3L ] "and this one on the server"
            let empty = newRun (scratch.Sub "empty")
            describe empty "empty" null
            Expect.stringContains (refusal (fun () -> JournalCopy.Copy(empty, place) |> ignore)) "nothing to copy" "a run without a journal"

        testCase "that fails in the middle leaves the run where it was"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let place = placeOf ((server ()).Url database)
            let paths = runAt null scratch.Path
            used paths 1L 3L
            let before = rows paths
            JournalServer.Prepare place

            (server ())
                .Sql(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''enough''; END'; "
                    + "CREATE TRIGGER refuse BEFORE INSERT ON ne.snapshot FOR EACH ROW EXECUTE FUNCTION refuse()",
                    database
                )
            |> ignore

            Expect.stringContains (refusal (fun () -> JournalCopy.Copy(paths, place) |> ignore)) "enough" "why"
            Expect.equal (rows paths) before "as it was"
            Expect.isNull (RunInfo.Read paths.RunInfo).Journal "in its folder"
            Expect.equal ((server ()).Sql("SELECT count(*) FROM ne.journal", database)) (box 0L) "nothing of it on the server"
            used paths 4L 4L
    ]
