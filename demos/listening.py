import gradio as gr


def add_listening(room, tabs, act):
    gr.Markdown("to be written")
