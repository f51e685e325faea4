namespace NE.Model.Agents

open System
open System.IO
open NE.Model.Networks

/// What a plasticity injection (Nikishin et al. 2023) froze: two bodies of the online networks and two of the targets, which share the one that
/// is subtracted.
[<Sealed>]
type FrozenBodies private (engine: IEngine, online: InjectedBodies, targets: InjectedBodies) =
    static let readFrom (block: IParameterBlock) =
        let values = Array.zeroCreate<float32> block.Layout.Length
        block.Read(Field.Weights, Span values)
        values

    let all = [ online.Kept; targets.Kept; online.Subtracted ]

    /// Of parameters in the layout's order: those of the networks and of their targets at the injection, and those that the new bodies begin with.
    static member Create(engine: IEngine, layout: BlockLayout, kept: float32[], keptTarget: float32[], subtracted: float32[]) =
        let frozen (values: float32[]) =
            let block = engine.CreateBlock(layout, false)
            block.Write(Field.Weights, ReadOnlySpan values)
            block

        let shared = frozen subtracted

        new FrozenBodies(
            engine,
            {
                Kept = frozen kept
                Subtracted = shared
            },
            {
                Kept = frozen keptTarget
                Subtracted = shared
            }
        )

    member _.Online = online
    member _.Targets = targets

    /// Host copies of the online networks' bodies: the kept and the subtracted one.
    member _.Read() : struct (float32[] * float32[]) =
        struct (readFrom online.Kept, readFrom online.Subtracted)

    /// The targets' kept body follows that of the online networks.
    member _.Polyak tau =
        engine.Polyak(targets.Kept, online.Kept, tau)

    /// Bodies of their own with the same values.
    member _.Copy() : FrozenBodies =
        FrozenBodies.Create(engine, online.Kept.Layout, readFrom online.Kept, readFrom targets.Kept, readFrom online.Subtracted)

    /// Writes the bodies: kept, that of the targets, subtracted. `passing` is of the layout's length and written over.
    member internal _.Save(writer: BinaryWriter, passing: float32[]) =
        for block in all do
            block.Read(Field.Weights, Span passing)
            StateBytes.writeFloats writer passing

    /// Reads what Save wrote.
    static member internal Restore(engine: IEngine, layout: BlockLayout, reader: BinaryReader) =
        let floats () =
            let values = Array.zeroCreate<float32> layout.Length
            StateBytes.readFloats reader values
            values

        let kept = floats ()
        let keptTarget = floats ()
        FrozenBodies.Create(engine, layout, kept, keptTarget, floats ())

    interface IDisposable with
        member _.Dispose() =
            for block in all do
                block.Dispose()
