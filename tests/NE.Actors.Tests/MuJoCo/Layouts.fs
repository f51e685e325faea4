/// Layouts of MuJoCo's structures taken apart, and changed in one place.
module NE.Actors.Tests.MuJoCo.Layouts

open System.Reflection
open NE.Actors.MuJoCo

let private flags =
    BindingFlags.Instance ||| BindingFlags.Public ||| BindingFlags.NonPublic

/// A copy of a C# record with one property changed; init-only properties can be set by reflection alone.
let changed (record: 'T) (property: string) (value: obj) : 'T =
    let kind = (box record).GetType()
    let clone = nonNull (kind.GetMethod("<Clone>$", flags))
    let copy = clone.Invoke(record, [||])
    (nonNull (kind.GetProperty(property, flags))).SetValue(copy, value)
    unbox<'T> copy

/// The numbers of a record, in the order in which they are declared.
let numbers (record: obj) : (string * int) list = [
    for property in record.GetType().GetProperties flags do
        if property.PropertyType = typeof<int> then
            property.Name, unbox<int>(property.GetValue record)
]

/// The structures of a layout by the names of their properties.
let structures (layout: MuJoCoLayout) : (string * obj) list = [
    "Model", layout.Model
    "Data", layout.Data
    "Scene", layout.Scene
    "Option", layout.Option
    "View", layout.View
    "Perturb", layout.Perturb
    "Context", layout.Context
    "Constants", layout.Constants
]

/// The layout with another number in one of its structures.
let withNumber (layout: MuJoCoLayout) (structure: string) (field: string) (value: int) : MuJoCoLayout =
    let record = structures layout |> List.find (fst >> (=) structure) |> snd
    changed layout structure (changed record field value)

let reference = MuJoCoLayouts.Reference
