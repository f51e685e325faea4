namespace NE.Model.Agents.Pixels

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay

/// The networks between pictures and the heads of actor and critics (docs/algorithm.md 2.14): convolutions that all share, and for either role a narrow
/// layer with LayerNorm and tanh. Convolutions and the critics' trunk have targets; the actor's trunk has one that nothing reads.
[<Sealed>]
type PixelNetworks(engine: IEngine, settings: Settings) =
    let struct (image, encoderForm, trunkForm) = PixelNetworks.Forms settings

    let group name form =
        NetworkGroup.OfForm(name, engine, 1, form, settings.Network)

    let encoder = group "encoder" encoderForm
    let trunk name = group name trunkForm

    let actorTrunk, criticTrunk = trunk "actor trunk", trunk "critic trunk"

    /// What the encoder reads, what it is made of, and what either trunk is made of.
    static member Forms(settings: Settings) : struct (ImageShape * NetworkForm * NetworkForm) =
        let pixels = settings.Pixels

        let image: ImageShape = {
            Height = pixels.Size
            Width = pixels.Size
            Channels = pixels.Shape.Channels
        }

        let encoder = NetworkForms.encoder image pixels.Filters
        struct (image, encoder, NetworkForms.trunk (List.last encoder.Widths) pixels.Features)

    member _.Engine = engine
    member _.Image = image
    member _.Settings = settings
    /// Pictures to features.
    member _.Encoder = encoder
    /// Features to what the actor reads.
    member _.ActorTrunk = actorTrunk
    /// Features to what the critics read.
    member _.CriticTrunk = criticTrunk
    /// All of them, in the order in which they are drawn and stored.
    member _.All = [ encoder; actorTrunk; criticTrunk ]

    /// Whether targets see s' through a target encoder, as DrQ has it, or through the encoder itself, as DrQ-v2 has it.
    member _.HasTargetEncoder = settings.Run.Learner = LearnerKind.Drq

    interface IDisposable with
        member this.Dispose() =
            for group in this.All do
                (group :> IDisposable).Dispose()
