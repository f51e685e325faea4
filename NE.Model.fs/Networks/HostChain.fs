namespace NE.Model.Networks

open System
open NE.Model.Networks.Layers

/// Layers of a policy, one after the other.
[<RequireQualifiedAccess>]
module internal HostChain =

    /// The layers of a block with one stack, from its host array.
    let create (layout: BlockLayout) (parameters: ReadOnlySpan<float32>) : IHostLayer[] =
        use source = fixed parameters
        let address = source
        let slots = Seq.init layout.Layers (fun layer -> layout.Slot(0, layer))

        LayerForms.chain Unchecked.defaultof<IHostLayer> slots (HostLayers.create address)
        |> Array.concat

    /// Floats from one row to the next that the layers of these widths need.
    let width (widths: int seq) =
        2 * HostTiles.Wide + (widths |> Seq.map HostTiles.padded |> Seq.max)

    /// What the layers make of the rows of x, `stride` floats apart; it is in x or in y, which is returned. Both are written over.
    let run (layers: IHostLayer[]) (x: float32[]) (y: float32[]) (stride: int) (rows: int) : float32[] =
        let mutable from = x
        let mutable into = y

        for layer in layers do
            use source = fixed from
            use target = fixed into
            layer.Forward(source, target, stride, rows)

            if not layer.IsInPlace then
                let next = into
                into <- from
                from <- next

        from
