module NE.Actors.Tests.RoomTests

open Expecto
open NE.Actors.Runs

[<Tests>]
let tests =
    NE.Tests.Rooms.tests "NE.Actors" typeof<RunRequest>.Assembly [
        "Cast"
        "Conducting"
        "Fleet"
        "Fleet.Wire"
        "Fleet.Environments"
        "Fleet.Copies"
        "Fleet.Cells"
    ]
