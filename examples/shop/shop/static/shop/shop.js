// Show the photo that is about to be uploaded.
for (const input of document.querySelectorAll('input[type="file"]')) {
  const picture = document.createElement("img");
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) {
      picture.src = URL.createObjectURL(file);
      input.after(picture);
    }
  });
}
