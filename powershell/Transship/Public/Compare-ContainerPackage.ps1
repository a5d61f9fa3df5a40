function Compare-ContainerPackage {
    <#
    .SYNOPSIS
    Compares two images or packages, across stacks: metadata, files and registry.

    .DESCRIPTION
    Gives one object for each difference, and nothing where there is none. Files and registry are compared as a
    container would see them, however they are cut into layers. Anything that could not be compared is a warning.

    .PARAMETER Reference
    The one side: TRANSPORT:LOCATION, or an existing path, which is recognised by its content.

    .PARAMETER Difference
    The other side.

    .PARAMETER Only
    Compares only these parts.

    .PARAMETER IgnoreTime
    Does not compare times: of files, of keys, of creation.

    .PARAMETER Base
    Where to find a base that either only names; nearest first.

    .PARAMETER Parent
    What a transport layout builds on, as layout:DIR; nearest first.

    .PARAMETER Platform
    Takes only what is for this platform, for example windows/amd64.

    .PARAMETER AcceptBaseMismatch
    Accepts a base of another version than the one named.

    .PARAMETER Quiet
    Gives true when both are the same, else false.

    .EXAMPLE
    Compare-ContainerPackage docker-archive:shop.tar inbox:D:\Repository:Shop -Quiet

    Whether the package is what the image was.

    .EXAMPLE
    Compare-ContainerPackage shop-1.tar shop-2.tar -Only registry | Where-Object -Property Change -EQ added

    The keys and values that a new version adds.

    .INPUTS
    Strings, files, and objects with a property Reference, for the one side.

    .OUTPUTS
    Transship.Difference: Part, Path, Value, Change, Fields, Left, Right. With -Quiet a Boolean.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.Difference', 'System.Boolean')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference,

        [Parameter(Mandatory, Position = 1)]
        [string] $Difference,

        [ValidateSet('metadata', 'files', 'registry')]
        [string[]] $Only,

        [switch] $IgnoreTime,

        [string[]] $Base,

        [string[]] $Parent,

        [string] $Platform,

        [switch] $AcceptBaseMismatch,

        [switch] $Quiet
    )

    process {
        $arguments = @('diff', $Reference, $Difference)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option $script:ReadingOptions)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option ([ordered]@{ Only = '--only'; IgnoreTime = '--ignore-times' }))
        # 1: they differ, which is the answer and no error.
        $answer = Invoke-Transship -ArgumentList $arguments -Expected 0, 1 -Target $Reference -Activity "Comparing $Reference and $Difference"
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        foreach ($reason in $answer.Document.notCompared) { Write-Warning -Message $reason }
        if ($Quiet) {
            $answer.Document.same
            return
        }
        foreach ($row in $answer.Document.metadata) {
            $change = 'changed'
            if (-not $row.PSObject.Properties['left']) { $change = 'added' }
            elseif (-not $row.PSObject.Properties['right']) { $change = 'removed' }
            New-TransshipObject -TypeName Transship.Difference -Document $row -Property @{ Part = 'metadata'; Path = $row.field; Change = $change; Fields = @() }
        }
        foreach ($part in 'files', 'registry') {
            foreach ($row in $answer.Document.$part) {
                $fields = @(Get-DocumentValue $row fields | Where-Object { $null -ne $_ })
                New-TransshipObject -TypeName Transship.Difference -Document $row -Property @{ Part = $part; Fields = $fields }
            }
        }
    }
}
