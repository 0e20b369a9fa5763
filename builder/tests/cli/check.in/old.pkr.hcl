source "qemu" "rhel" {
  iso_checksum = "none"
  ssh_password = "secret"
  boot_command = ["<up><wait><enter>"]
  qemuargs     = [["-drive", "file=x.qcow2"]]
}
build {
  provisioner "shell" {
    script = "setup.sh"
  }
}
