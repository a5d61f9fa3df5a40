# A script as a consultant would write it, run as it would be: by pwsh -File, with the module on PSModulePath.
BeforeAll {
    . (Join-Path $PSScriptRoot 'Setup.ps1')
    $Drive = (Get-Item TestDrive:/).FullName
    foreach ($name in 'images', 'first', 'second') { $null = New-Item -ItemType Directory -Path (Join-Path $Drive $name) }
    Copy-Item -LiteralPath $Shop -Destination (Join-Path $Drive 'images/shop.tar')
    Copy-Item -LiteralPath $Shop -Destination (Join-Path $Drive 'images/the same again.tar')
    [System.IO.File]::WriteAllBytes((Join-Path $Drive 'images/cut.tar'), [System.IO.File]::ReadAllBytes($Shop)[0..99999])
    Set-Content (Join-Path $Drive 'images/letter.tar') 'no archive'
    $Pwsh = Join-Path $PSHOME pwsh
    function Invoke-Script([string] $Output) {
        $path = $env:PSModulePath
        $env:PSModulePath = (Split-Path $ModulePath) + [System.IO.Path]::PathSeparator + $path
        try { & $Pwsh -NoProfile -File (Join-Path $PSScriptRoot '../consultant.ps1') (Join-Path $Drive images) (Join-Path $Drive 'the repository') (Join-Path $Drive $Output) 2>&1 }
        finally { $env:PSModulePath = $path }
    }
}

Describe 'The script' {
    It 'has some 30 lines' { (Get-Content (Join-Path $PSScriptRoot '../consultant.ps1')).Count | Should -BeLessOrEqual 40 }

    It 'converts what it can, and tells what failed and why' {
        $said = Invoke-Script first
        $LASTEXITCODE | Should -Be 1 -Because "$said"
        $rows = Import-Csv (Join-Path $Drive first/migration.csv)
        $rows.File | Should -Be 'cut.tar', 'letter.tar', 'shop.tar', 'the same again.tar'
        $rows.State | Should -Be failed, failed, converted, 'there already'
        $rows[0].Code, $rows[1].Code | Should -Be BAD_REFERENCE, BAD_REFERENCE
        $rows[0].Advice | Should -Not -BeNullOrEmpty
        $rows[2].Package | Should -Be CN=contoso_shop_1.2.0.0
        $page = Get-Content (Join-Path $Drive first/migration.html) -Raw
        $page | Should -BeLike '*1 converted, 2 failed, 1 there already*'
        ([xml] ($page -replace '<!DOCTYPE[^>]*>')).html.body.table.tr.Count | Should -Be 5
    }

    It 'passes over what is there the next time' {
        $null = Invoke-Script second
        (Import-Csv (Join-Path $Drive second/migration.csv)).State | Should -Be failed, failed, 'there already', 'there already'
        Test-ContainerPackage "inbox:$(Join-Path $Drive 'the repository')" -Quiet | Should -BeTrue
    }
}
