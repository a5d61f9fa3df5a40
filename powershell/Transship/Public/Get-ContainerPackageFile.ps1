function Get-ContainerPackageFile {
    <#
    .SYNOPSIS
    Lists the files of an image or a package after merging all layers.

    .DESCRIPTION
    Attributes, sizes, times, links, alternate streams and security descriptors as Windows would see them. With -Layer
    the files that one layer adds, changes or deletes.

    .PARAMETER Reference
    Where to look: TRANSPORT:LOCATION, or an existing path, which is recognised by its content.

    .PARAMETER Path
    A file or folder in it, with / or \.

    .PARAMETER Layer
    Only this layer; the base is 0.

    .PARAMETER Base
    Where to find a base that it only names; nearest first.

    .PARAMETER Parent
    What a transport layout builds on, as layout:DIR; nearest first.

    .PARAMETER Platform
    Takes only what is for this platform, for example windows/amd64.

    .PARAMETER AcceptBaseMismatch
    Accepts a base of another version than the one named.

    .EXAMPLE
    Get-ContainerPackageFile docker-archive:shop.tar Files/inetpub | Measure-Object -Property Length -Sum

    How much is below a folder.

    .EXAMPLE
    Get-ContainerPackageFile docker-archive:shop.tar -Layer 1 | Where-Object -Property Kind -EQ tombstone

    What the second layer deletes.

    .INPUTS
    Strings, files, and objects with a property Reference.

    .OUTPUTS
    Transship.File: Reference, Path, Kind, Layer, Length, Attributes, CreationTimeUtc, LastWriteTimeUtc,
    LastAccessTimeUtc, Target, Streams, ExtendedAttributes, Sddl, SecurityDescriptor, ReparsePoint.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.File')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference,

        [Parameter(Position = 1)]
        [string] $Path,

        [ValidateRange(0, 65535)]
        [int] $Layer,

        [string[]] $Base,

        [string[]] $Parent,

        [string] $Platform,

        [switch] $AcceptBaseMismatch
    )

    process {
        $arguments = @('files', $Reference)
        if ($Path) { $arguments += $Path }
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option $script:ReadingOptions)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option ([ordered]@{ Layer = '--layer' }))
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Reference -Activity "Reading $Reference"
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        foreach ($entry in $answer.Document.entries) {
            $times = Get-DocumentValue $entry times
            $attributes = Get-DocumentValue $entry attributes
            if ($null -ne $attributes) { $attributes = [Enum]::ToObject([System.IO.FileAttributes], [long] $attributes) }
            New-TransshipObject -TypeName Transship.File -Document $entry -Property @{
                Reference         = $Reference
                Length            = Get-DocumentValue $entry size
                Attributes        = $attributes
                CreationTimeUtc   = ConvertFrom-FileTime (Get-DocumentValue $times creation)
                LastWriteTimeUtc  = ConvertFrom-FileTime (Get-DocumentValue $times lastWrite)
                LastAccessTimeUtc = ConvertFrom-FileTime (Get-DocumentValue $times lastAccess)
            }
        }
    }
}
