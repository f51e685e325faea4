namespace NE.Model.Fleet

/// How the work of a process on a cell ended.
type CellEnd = {
    /// See CellExitCode.
    ExitCode: int
    ProcessId: int
    /// What it said last.
    LastWords: string
}

/// Something that has become true of a fleet's sweeps and must outlive whoever decides. A cell is named by its run's name.
[<RequireQualifiedAccess>]
type FleetEvent =
    /// A sweep is to be worked on.
    | SweepBegan of sweep: string * submission: string
    /// It is over, or was stopped.
    | SweepEnded of sweep: string
    /// A sweep wants a process to work on a cell. The order says what the process is to do.
    | CellWanted of cell: string * order: string
    /// It is a node's. No older epoch of the cell may write any more.
    | CellPlaced of cell: string * node: string * epoch: int64
    /// The process is to commit and end, or, where there is none, not to begin.
    | CellStopped of cell: string
    /// Its node is lost, or gives it back because it leaves: another one goes on from the last commit.
    | CellReturned of cell: string * epoch: int64 * reason: string
    /// The process ended by itself, or was stopped. Nothing is wanted of the cell any more.
    | CellEnded of cell: string * epoch: int64 * outcome: CellEnd

/// A cell that is wanted.
type WantedCell = {
    Order: string
    /// Its node and its epoch; None while it waits for one.
    Place: struct (string * int64) option
    IsStopping: bool
    /// Rank in the order of wishes: the first wanted is the first placed, also after its node was lost.
    Rank: int64
}

/// What is known of a node.
type CellNode = {
    /// Cells that it works on at a time.
    Slots: int
    /// It gives back what it has and takes no more.
    IsLeaving: bool
}

/// Who works on what. The events give everything but the nodes, which are known from what they say.
type CellPlacement = {
    Sweeps: Map<string, string>
    Cells: Map<string, WantedCell>
    Nodes: Map<string, CellNode>
    /// The last epoch that was given.
    Epoch: int64
    LastRank: int64
}

/// What a coordinator hears.
[<RequireQualifiedAccess>]
type CellInput =
    | Begin of sweep: string * submission: string
    | End of sweep: string
    | Want of cell: string * order: string
    | Stop of cell: string
    /// A node lives.
    | NodeLives of node: string * CellNode
    /// Nothing that it did can still be at work: it left, or its lease is over.
    | NodeLost of node: string * reason: string
    | Returned of cell: string * epoch: int64 * reason: string
    | Ended of cell: string * epoch: int64 * CellEnd

[<RequireQualifiedAccess>]
module CellPlacement =

    let empty: CellPlacement = {
        Sweeps = Map.empty
        Cells = Map.empty
        Nodes = Map.empty
        Epoch = 0L
        LastRank = 0L
    }

    let private change (cell: string) (how: WantedCell -> WantedCell) (placement: CellPlacement) : CellPlacement =
        match placement.Cells.TryFind cell with
        | Some found -> {
            placement with
                Cells = placement.Cells.Add(cell, how found)
          }
        | None -> placement

    /// The state after an event.
    let apply (placement: CellPlacement) (event: FleetEvent) : CellPlacement =
        match event with
        | FleetEvent.SweepBegan(sweep, submission) -> {
            placement with
                Sweeps = placement.Sweeps.Add(sweep, submission)
          }
        | FleetEvent.SweepEnded sweep -> {
            placement with
                Sweeps = placement.Sweeps.Remove sweep
          }
        | FleetEvent.CellWanted(cell, order) ->
            let rank = placement.LastRank + 1L

            {
                placement with
                    LastRank = rank
                    Cells =
                        placement.Cells.Add(
                            cell,
                            {
                                Order = order
                                Place = None
                                IsStopping = false
                                Rank = rank
                            }
                        )
            }
        | FleetEvent.CellPlaced(cell, node, epoch) ->
            {
                placement with
                    Epoch = max placement.Epoch epoch
            }
            |> change cell (fun wanted -> {
                wanted with
                    Place = Some(struct (node, epoch))
            })
        | FleetEvent.CellStopped cell -> placement |> change cell (fun wanted -> { wanted with IsStopping = true })
        | FleetEvent.CellReturned(cell, _, _) -> placement |> change cell (fun wanted -> { wanted with Place = None })
        | FleetEvent.CellEnded(cell, _, _) -> {
            placement with
                Cells = placement.Cells.Remove cell
          }

    /// The cells that a node is to work on.
    let heldBy (node: string) (placement: CellPlacement) : (string * WantedCell) list = [
        for KeyValue(name, cell) in placement.Cells do
            match cell.Place with
            | Some(struct (holder, _)) when holder = node -> name, cell
            | _ -> ()
    ]

    /// The cells that wait for a node, the first wanted first.
    let waiting (placement: CellPlacement) : (string * WantedCell) list =
        placement.Cells
        |> Map.toList
        |> List.filter (fun (_, cell) -> cell.Place.IsNone)
        |> List.sortBy (fun (_, cell) -> cell.Rank)

    /// Cells that all nodes together work on at a time.
    let slots (placement: CellPlacement) : int =
        placement.Nodes.Values
        |> Seq.filter (fun node -> not node.IsLeaving)
        |> Seq.sumBy _.Slots

    /// Whether this was said by the node that has the cell now.
    let private isCurrent (cell: string) (epoch: int64) (placement: CellPlacement) : bool =
        match placement.Cells.TryFind cell with
        | Some { Place = Some(struct (_, current)) } -> current = epoch
        | _ -> false

    let private noProcess: CellEnd = {
        ExitCode = CellExitCode.Interrupted
        ProcessId = 0
        LastWords = ""
    }

    /// A cell that is stopped while nobody works on it has ended.
    let private settle (placement: CellPlacement) : FleetEvent list = [
        for name, cell in waiting placement do
            if cell.IsStopping then
                FleetEvent.CellEnded(name, 0L, noProcess)
    ]

    /// How many cells more each node can take, of those that can.
    let private rooms (placement: CellPlacement) : Map<string, int> =
        let held =
            placement.Cells.Values
            |> Seq.choose _.Place
            |> Seq.countBy (fun (struct (node, _)) -> node)
            |> Map.ofSeq

        placement.Nodes
        |> Map.map (fun node known ->
            if known.IsLeaving then
                0
            else
                known.Slots - (held.TryFind node |> Option.defaultValue 0))
        |> Map.filter (fun _ room -> room > 0)

    /// Gives cells to nodes with room, to the one with the most room first.
    let private place (placement: CellPlacement) : FleetEvent list =
        let rec go wanted rooms epoch events =
            match wanted with
            | (cell, _) :: rest when not (Map.isEmpty rooms) ->
                let node, room = rooms |> Map.toSeq |> Seq.minBy (fun (node, room) -> -room, node)

                let left =
                    rooms |> Map.change node (fun _ -> if room > 1 then Some(room - 1) else None)

                go rest left (epoch + 1L) (FleetEvent.CellPlaced(cell, node, epoch + 1L) :: events)
            | _ -> List.rev events

        match waiting placement with
        // Every message of every node comes by here, and hardly ever is there anything to give.
        | [] -> []
        | wanted -> go wanted (rooms placement) placement.Epoch []

    /// What follows from what was heard. The events become true when they are stored; the state is that of before, with the nodes of now.
    let decide (placement: CellPlacement) (input: CellInput) : struct (CellPlacement * FleetEvent list) =
        let known, first =
            match input with
            | CellInput.Begin(sweep, submission) -> placement, [ FleetEvent.SweepBegan(sweep, submission) ]
            | CellInput.End sweep when placement.Sweeps.ContainsKey sweep -> placement, [ FleetEvent.SweepEnded sweep ]
            | CellInput.Want(cell, order) when not (placement.Cells.ContainsKey cell) -> placement, [ FleetEvent.CellWanted(cell, order) ]
            | CellInput.Stop cell when placement.Cells.ContainsKey cell && not placement.Cells[cell].IsStopping ->
                placement, [ FleetEvent.CellStopped cell ]
            | CellInput.NodeLives(node, what) ->
                {
                    placement with
                        Nodes = placement.Nodes.Add(node, what)
                },
                []
            | CellInput.NodeLost(node, reason) ->
                {
                    placement with
                        Nodes = placement.Nodes.Remove node
                },
                [
                    for name, cell in heldBy node placement do
                        match cell.Place with
                        | Some(struct (_, epoch)) -> FleetEvent.CellReturned(name, epoch, reason)
                        | None -> ()
                ]
            | CellInput.Returned(cell, epoch, reason) when isCurrent cell epoch placement ->
                placement, [ FleetEvent.CellReturned(cell, epoch, reason) ]
            | CellInput.Ended(cell, epoch, outcome) when isCurrent cell epoch placement ->
                placement, [ FleetEvent.CellEnded(cell, epoch, outcome) ]
            | CellInput.End _
            | CellInput.Want _
            | CellInput.Stop _
            | CellInput.Returned _
            | CellInput.Ended _ -> placement, []

        let after = List.fold apply known first
        let settled = settle after
        struct (known, first @ settled @ place (List.fold apply after settled))
